"""Names that every MicroPython has in its firmware: as a name of ours they cost neither text nor heap.

They are the fixed numbers 1 to 160 of the .mpy format (`static_qstr_list` in py/makeqstrdata.py of 1.25); a test has
mpy-cross compile them. What they mean to others does not matter for an attribute of ours or a function of a module:
who looks there finds ours. Left out is what the compiler treats in its own way: `const`, `range`, `super`.
"""

# No builtins: attributes may have these as well.
WORDS = (
    "append args bytecode clear close copy count end endswith extend find format from_bytes get index insert isalpha "
    "isdigit islower isspace isupper items join key keys little lower lstrip main pop popitem read readinto readline "
    "remove replace reverse rfind rindex rsplit rstrip send sep setdefault sort split start startswith step stop strip "
    "throw to_bytes update upper value values write"
).split()
# Builtins: of a module's own where nothing in the program means the builtin.
BUILTINS = (
    "abs all any bool bytearray bytes callable chr classmethod dict dir divmod eval exec getattr hasattr hash id int "
    "isinstance issubclass iter len list map next object open ord pow print repr round set setattr sorted staticmethod "
    "str sum tuple type zip ArithmeticError AssertionError AttributeError BaseException EOFError Exception "
    "GeneratorExit ImportError IndentationError IndexError KeyError KeyboardInterrupt LookupError MemoryError "
    "NameError NotImplementedError OSError OverflowError RuntimeError StopIteration SyntaxError SystemExit TypeError "
    "ValueError ZeroDivisionError"
).split()
