# Gives a checkout its .venv: made once, renewed only when pyproject.toml, the Python or the place changed.
# Sourced by tools/run and tools/test (bash). Rules:
# 1. Nothing goes to stdout: what the caller starts afterwards owns it.
# 2. Two callers at once are safe: the second waits for the first and finds the work done.
# 3. A stamp is written last, so an interrupted set-up is repeated.
# 4. Every Python is started with -I: a file in the current folder is no module of ours (3.10 and older have no -P).

toolcart_root=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd -P)

toolcart_say() { printf 'toolcart: %s\n' "$*" >&2; }

# Git makes files of links where it cannot, or may not, make links. Nothing is begun in such a checkout.
for toolcart_room in agent archive board tools; do
    if ! [ -d "$toolcart_root/toolcart/$toolcart_room" ]; then
        toolcart_say "toolcart/$toolcart_room is no link to $toolcart_room/: git config core.symlinks true, then check out again."
        return 1
    fi
done

# Prints the first Python of 3.11 or later that can make an environment. A pyenv shim exists for versions
# that are not there, so each candidate is really started.
toolcart_python() {
    local candidate without_ensurepip=''
    for candidate in python3.11 python3.12 python3.13 python3 python3.14; do
        "$candidate" -I -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 || continue
        if "$candidate" -I -c 'import ensurepip, venv' >/dev/null 2>&1; then
            command -v "$candidate"
            return 0
        fi
        without_ensurepip=${without_ensurepip:-$candidate}
    done
    if [ -n "$without_ensurepip" ]; then
        local version
        version=$("$without_ensurepip" -I -c 'import sys; print("%d.%d" % sys.version_info[:2])')
        toolcart_say "$without_ensurepip cannot make virtual environments (its ensurepip or venv is missing)."
        toolcart_say "On Debian, Ubuntu and Raspberry Pi OS: sudo apt install python$version-venv"
    else
        toolcart_say "Python 3.11 or later is needed; none of python3.11, python3.12, python3.13, python3 is one."
        toolcart_say "On Debian, Ubuntu and Raspberry Pi OS: sudo apt install python3 python3-venv"
    fi
    return 1
}

# One line for all that the environment depends on: the project file, the extras, the place (scripts carry
# absolute paths) and the Python.
toolcart_stamp() {
    "$1" -I - "$toolcart_root" "$2" <<'PYTHON'
import hashlib, pathlib, sys
root, extras = sys.argv[1:]
project = pathlib.Path(root, "pyproject.toml").read_bytes()
print(hashlib.sha256(project).hexdigest()[:16], extras, "%d.%d" % sys.version_info[:2], root)
PYTHON
}

toolcart_make_venv() {
    local python=$1 extras=$2 venv=$toolcart_root/.venv
    # Making an environment empties the folder first, and through a link that would be somebody else's.
    if [ -L "$venv" ]; then
        echo "$venv is a symbolic link; remove it, an environment is made in its place." >&2
        return 1
    fi
    # An environment that was moved or whose Python went away keeps nothing worth repairing.
    if ! "$venv/bin/python" -I -c "import sys; sys.exit(sys.prefix != '$venv' or sys.version_info < (3, 11))" \
        >/dev/null 2>&1 || ! grep -qF "$venv" "$venv/bin/pip" 2>/dev/null; then
        "$python" -I -m venv --clear "$venv" || return 1
    fi
    # What is imported is compiled then: of all that comes with it most never is.
    "$venv/bin/python" -I -m pip install --disable-pip-version-check --no-input --no-compile \
        -e "$toolcart_root[$extras]" || return 1
    # Its list of files would make pytest rewrite the whole product, not only the tests, for our fixtures' sake.
    rm -rf "$toolcart_root/toolcart.egg-info"
}

# toolcart_progress LOG PACKAGES BEFORE: how far the set-up is, by what pip has written into LOG: as a bar and in words.
# PACKAGES is how many there are in .venv now, BEFORE how many there were when pip began.
toolcart_progress() {
    local steps found all cells words bar=####################
    steps=$(grep -cE '^Obtaining |: finished with status' "$1") # 5 before the first package is found
    found=$(grep -cE '^(Collecting|Processing) ' "$1") # some 25 as a rule
    all=$(sed -n 's/^Installing collected packages: //p' "$1" | tr ',' '\n' | grep -c .)
    cells=$((1 + steps + found / 3)) words='making the environment'
    [ "$steps" = 0 ] || words='looking for packages'
    [ "$found" = 0 ] || words="packages found: $found"
    [ $cells -le 13 ] || cells=13
    [ "$all" = 0 ] || cells=$((13 + 7 * ($2 - $3) / all)) words="packages to install: $all"
    printf '[%-20s] %-28s' "${bar:0:cells}" "$words"
}

# Draws it on the terminal until it is ended, or whoever started it has.
toolcart_draw_progress() {
    local now before
    while kill -0 $$ 2>/dev/null; do
        now=$(find "$2"/lib -maxdepth 3 -name '*.dist-info' 2>/dev/null | grep -c .)
        grep -q '^Installing collected' "$1" || before=$now
        printf '\r%s' "$(toolcart_progress "$1" "$now" "${before:-$now}")" >&2
        sleep 0.2
    done
}

# Debian's PostgreSQL, Chromium, Lintian, Mosquitto and Prometheus, for the tests that want them: on CI as root, tried once, never in the way.
# Elsewhere nothing is installed into the system; those tests are skipped and say what they lack.
toolcart_debian_packages() {
    local missing=() tried=$toolcart_root/.cache/packages.tried unpacked=$toolcart_root/.cache/prometheus
    [ "${CI:-}" = true ] && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null && ! [ -e "$tried" ] || return 0
    mkdir -p "$toolcart_root/.cache"
    compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null || missing+=(postgresql)
    command -v chromium >/dev/null || missing+=(chromium)
    command -v lintian >/dev/null || missing+=(lintian)
    [ -x /usr/sbin/mosquitto ] || missing+=(mosquitto)
    toolcart_say "getting Debian's ${missing[*]:+${missing[*]} }prometheus for their tests (once) ..."
    : >"$tried"
    if ! { timeout 120 apt-get update -qq -o Acquire::Retries=3; DEBIAN_FRONTEND=noninteractive timeout 400 \
        apt-get install -y -qq --no-install-recommends "${missing[@]}" &&
        toolcart_prometheus "$unpacked"; } >"$tried" 2>&1 </dev/null; then
        toolcart_say "not all of them are available ($tried says why); their tests are skipped."
    fi
    return 0
}

# toolcart_prometheus FOLDER: the package is only unpacked: installing it would start the server.
toolcart_prometheus() {
    mkdir -p "$1" && (cd "$1" && timeout 120 apt-get download -qq prometheus && dpkg-deb -x prometheus_*.deb .)
}

# toolcart_is_ready PYTHON EXTRAS: true if .venv is up to date and has these extras, or more: a plant may have no Internet.
toolcart_is_ready() {
    local file had extra
    for file in "$toolcart_root"/.venv/toolcart-*.stamp; do
        had=${file##*/toolcart-} had=${had%.stamp}
        for extra in ${2//,/ }; do
            case ",$had," in *",$extra,"*) ;; *) continue 2 ;; esac
        done
        [ "$(cat "$file" 2>/dev/null)" = "$(toolcart_stamp "$1" "$had")" ] && return 0
    done
    return 1
}

# toolcart_setup EXTRAS: afterwards .venv has the project with these extras (comma-separated).
toolcart_setup() {
    local extras=$1 cache=$toolcart_root/.cache venv=$toolcart_root/.venv
    local log=$cache/setup.log stamp_file=$venv/toolcart-$1.stamp python drawing='' result=0
    # python -m venv keeps a name of an outer environment; pip must not install into another place.
    unset PYTHONHOME PIP_TARGET PIP_PREFIX PIP_USER PIP_REQUIRE_VIRTUALENV
    mkdir -p "$cache" || return 1
    exec 9>>"$cache/setup.lock" || return 1
    python=$toolcart_root/.venv/bin/python
    "$python" -I -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 || python=$(toolcart_python) ||
        { exec 9>&-; return 1; }
    # The lock belongs to descriptor 9, so it outlives the process that takes it. flock(1) is not everywhere.
    "$python" -I -c 'import fcntl; fcntl.flock(9, fcntl.LOCK_EX)' || { exec 9>&-; return 1; }
    if ! toolcart_is_ready "$python" "$extras"; then
        toolcart_say "setting up .venv with [$extras] (once; about half a minute) ..."
        : >"$log"
        if [ -t 2 ]; then
            toolcart_draw_progress "$log" "$venv" 9>&- &
            drawing=$!
        fi
        python=$(toolcart_python) && toolcart_make_venv "$python" "$extras" >>"$log" 2>&1 9>&- || result=1
        if [ -n "$drawing" ]; then
            kill "$drawing" && wait "$drawing" 2>/dev/null
            printf '\r%52s\r' '' >&2
        fi
        if [ $result -eq 0 ]; then
            toolcart_stamp "$venv/bin/python" "$extras" >"$stamp_file"
            toolcart_say "the environment is ready."
        else
            [ -s "$log" ] && tail -n 25 "$log" >&2
            toolcart_say "the environment could not be made."
        fi
    fi
    exec 9>&-
    return $result
}
