// Runs a script on the WebAssembly MicroPython as the unix port would: a tree to import from, arguments, exit code.
//
//   node wasm.mjs MICROPYTHON.mjs HEAP_BYTES TREE SCRIPT ARGUMENTS...
//
// 1. TREE is copied into the file system in memory at /tree; SCRIPT is read from the disk. Nothing is written back.
// 2. Memory is collected only between calls from here: inside a call gc.collect() frees nothing, because the stack
//    cannot be searched. A script that wants it leaves a function `step` behind; it is called until SystemExit.
// 3. HEAP_BYTES is the heap's size at the start; it grows as needed and is not a limit.
import fs from "node:fs";
import path from "node:path";

const [modulePath, heapBytes, tree, script, ...args] = process.argv.slice(2);
const TREE_FILES = /\.(py|mpy|json)$/;

function mount(micropython, from, to) {
    micropython.FS.mkdirTree(to);
    for (const entry of fs.readdirSync(from, { withFileTypes: true })) {
        const source = path.join(from, entry.name);
        if (entry.isDirectory()) mount(micropython, source, `${to}/${entry.name}`);
        else if (TREE_FILES.test(entry.name)) micropython.FS.writeFile(`${to}/${entry.name}`, fs.readFileSync(source));
    }
}

// Writes at once and in order; if a pipe is full for a moment it tries again, so the end of a report is never lost.
function writeAll(descriptor, bytes) {
    for (let start = 0; start < bytes.length; ) {
        try {
            start += fs.writeSync(descriptor, bytes, start);
        } catch (error) {
            if (error.code !== "EAGAIN") throw error;
        }
    }
}

// The code a SystemExit carries is only in its text; without a number it is 0 as in Python, with a text it is 1.
function exitCode(error) {
    if (error.name !== "PythonError") throw error;
    const lastLine = error.message.trimEnd().split("\n").pop();
    const exit = /^SystemExit(?:: (.*))?$/.exec(lastLine);
    if (!exit) {
        process.stderr.write(error.message);
        return 1;
    }
    if (!exit[1] || exit[1] === "None") return 0;
    return /^-?\d+$/.test(exit[1]) ? Number(exit[1]) & 255 : 1;
}

// The glue of MicroPython's build asks the table of functions again at every call through it, for an assert of its own,
// and that was nearly half of the time. No entry is ever replaced (MicroPython adds none), so each is asked for once.
const functions = [];
const ask = WebAssembly.Table.prototype.get;
WebAssembly.Table.prototype.get = function (index) {
    return (functions[index] ??= ask.call(this, index));
};

const { loadMicroPython } = await import(path.resolve(modulePath));
let line = [];
const micropython = await loadMicroPython({
    heapsize: Number(heapBytes),
    linebuffer: false,
    stdout: (bytes) => {
        line.push(...bytes);
        if (bytes.includes(10)) {
            writeAll(1, Uint8Array.from(line));
            line = [];
        }
    },
    stderr: (bytes) => writeAll(2, bytes),
});
if (tree) mount(micropython, path.resolve(tree), "/tree");
const quoted = JSON.stringify([script, ...args]);
let code = 0;
try {
    micropython.runPython(`import sys\nsys.path[:] = ["/tree", ".frozen"]\nsys.argv[:] = ${quoted}\n`);
    micropython.runPython(fs.readFileSync(script, "utf8"));
    // A step that is done raises SystemExit; a script without steps is done now.
    if (micropython.globals.get("step")) for (;;) micropython.runPython("step()");
} catch (error) {
    code = exitCode(error);
}
writeAll(1, Uint8Array.from(line));
process.exit(code);
