# Read by the scripts beside it: installs what a build needs, and says where it goes. Needs Debian, or the same things put there by hand.

# Builds are kept outside the clone, so that rocksdb (10 to 20 minutes on two cores) is compiled once and not once per clone.
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/lookback/target}"

say() { printf '\n== %s\n' "$*" >&2; }

# As root, or by sudo where there is one.
as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi; }

# What no script installs: Rust, with what formats and lints.
need_rust() {
  if cargo fmt --version >/dev/null 2>&1 && cargo clippy --version >/dev/null 2>&1; then return; fi
  echo "this needs Rust 1.95 or later with rustfmt and clippy: install rustup, and run: rustup component add rustfmt clippy" >&2
  exit 1
}

# rocksdb is C++ and reached through bindings that libclang writes.
install_build_tools() {
  if ! command -v apt-get >/dev/null; then
    if compgen -G '/usr/lib*/libclang*.so*' >/dev/null || compgen -G '/usr/lib*/llvm*/lib*/libclang*.so*' >/dev/null; then return; fi
    echo "this is no Debian: install clang's development files and a C++ compiler by hand and run again" >&2
    exit 1
  fi
  if dpkg -s libclang-dev g++ >/dev/null 2>&1; then return; fi
  say "installing libclang and a C++ compiler"
  as_root apt-get update -qq
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq libclang-dev g++ >/dev/null
}

# A program of crates.io, of one version, in a folder of the builds: `install_cargo_tool NAME VERSION OPTION...`, with options of `cargo install`.
install_cargo_tool() {
  local name=$1 version=$2 folder="$CARGO_TARGET_DIR/$1"
  if "$folder/bin/$name" --version 2>/dev/null | grep -qF "$version"; then return; fi
  say "installing $name $version (some minutes on two cores)"
  CARGO_PROFILE_DEV_DEBUG=0 cargo install --quiet "$name" --version "$version" --locked --root "$folder" --target-dir "$folder/build" "${@:3}"
  rm -rf "$folder/build"
}

# Looks at what the dependencies bring, by deny.toml. Compiled without optimisation: a minute of two cores instead of three, and it runs for seconds.
install_cargo_deny() { install_cargo_tool cargo-deny 0.20.2 --debug; }

# What deny.toml says of licences, duplicates and sources always; of advisories only where their database can be fetched, so that nothing fails for want of network.
check_dependencies() {
  local deny=("$CARGO_TARGET_DIR/cargo-deny/bin/cargo-deny" --locked --workspace)
  "${deny[@]}" check --hide-inclusion-graph licenses bans sources
  if GIT_TERMINAL_PROMPT=0 timeout 60 "${deny[@]}" fetch db >/dev/null 2>&1; then
    "${deny[@]}" check --hide-inclusion-graph advisories
  else
    echo "advisories are not looked at: their database, on github.com, cannot be fetched from here" >&2
  fi
}

# Shells, groff and systemd-analyze, which look at completions, man pages and units in the tests. Where they cannot be had, the tests say what they leave out.
install_test_tools() {
  command -v apt-get >/dev/null || return 0
  if command -v zsh >/dev/null && command -v fish >/dev/null && command -v groff >/dev/null && command -v systemd-analyze >/dev/null; then return; fi
  say "installing zsh, fish, groff and systemd"
  as_root apt-get update -qq
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends zsh fish groff-base systemd bsdutils >/dev/null
}

# A Python with torch and what the tests of the Python package read with, in a folder of the builds: 6 GB, some minutes the first time.
install_torch() {
  local venv="$CARGO_TARGET_DIR/lookback-torch"
  if ! cmp -s python/tests/requirements.txt "$venv/installed.txt"; then
    say "installing torch and what reads Arrow (6 GB)"
    rm -rf "$venv"
    python3 -m venv "$venv"
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check -r python/tests/requirements.txt
    cp python/tests/requirements.txt "$venv/installed.txt"
  fi
  export LOOKBACK_TORCH_PYTHON="$venv/bin/python"
}

# Airflow, which runs the example DAG in the tests, in a folder of the builds: 290 MB, a minute and a half the first time.
install_airflow() {
  local venv="$CARGO_TARGET_DIR/lookback-airflow"
  if ! cmp -s tools/airflow/requirements.txt "$venv/installed.txt"; then
    say "installing Airflow (290 MB)"
    rm -rf "$venv"
    python3 -m venv "$venv"
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check -r tools/airflow/requirements.txt
    cp tools/airflow/requirements.txt "$venv/installed.txt"
  fi
  export LOOKBACK_AIRFLOW_PYTHON="$venv/bin/python"
}

# Azurite, Microsoft's server of Azure's blobs for tests, in a folder of the builds: 360 MB, a minute the first time. It asks for Node.js 22
# or later; what the tests use of it runs with 18 and 20 too. Nothing of the packages is run when they are installed.
install_azurite() {
  local version=3.37.0 folder="$CARGO_TARGET_DIR/lookback-azurite"
  if ! command -v npm >/dev/null; then
    if ! command -v apt-get >/dev/null; then
      echo "this is no Debian: install Node.js with npm by hand and run again" >&2
      exit 1
    fi
    say "installing Node.js"
    as_root apt-get update -qq
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends nodejs npm >/dev/null
  fi
  if [ "$(cat "$folder/installed.txt" 2>/dev/null)" != "$version" ]; then
    say "installing Azurite (360 MB)"
    rm -rf "$folder"
    mkdir -p "$folder"
    npm install --prefix "$folder" --no-audit --no-fund --ignore-scripts --omit=optional --loglevel=error "azurite@$version" >/dev/null
    echo "$version" >"$folder/installed.txt"
  fi
  export LOOKBACK_AZURITE="$folder/node_modules/azurite/dist/src/blob/main.js"
}

# The browser in which the tests open the page of `lookback report`.
install_browser() {
  if [ -z "${LOOKBACK_CHROMIUM:-}" ] && ! command -v chromium >/dev/null; then
    if ! command -v apt-get >/dev/null; then
      echo "this is no Debian: install Chromium by hand, name it with LOOKBACK_CHROMIUM, and run again" >&2
      exit 1
    fi
    say "installing Chromium"
    as_root apt-get update -qq
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium fonts-dejavu-core >/dev/null
  fi
  export LOOKBACK_CHROMIUM="${LOOKBACK_CHROMIUM:-chromium}"
}

# Java, on which Spark reads the output in the tests.
install_java() {
  if command -v java >/dev/null; then return; fi
  if ! command -v apt-get >/dev/null; then
    echo "this is no Debian: install Java 17 by hand and run again" >&2
    exit 1
  fi
  say "installing Java"
  as_root apt-get update -qq
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends openjdk-17-jre-headless >/dev/null
}

# A Python with the packages that read the output in the tests, in a folder of the builds. For the tests, with Spark: 1.2 GB, two minutes
# the first time.
install_python_packages() {
  local here=$1 venv="$CARGO_TARGET_DIR/lookback-python"
  if [ ! -x "$venv/bin/python" ] && ! python3 -m venv "$venv" 2>/dev/null; then
    say "installing Python with venv"
    as_root apt-get update -qq
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq python3-venv >/dev/null
    rm -rf "$venv"
    python3 -m venv "$venv"
  fi
  if ! cmp -s "$here/requirements.txt" "$venv/installed-for-$here.txt"; then
    say "installing the packages of $here/requirements.txt"
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check -r "$here/requirements.txt"
    cp "$here/requirements.txt" "$venv/installed-for-$here.txt"
  fi
  export LOOKBACK_PYTHON="$venv/bin/python"
}
