# What ./quickstart and ./test share: words for the terminal, packages, builds. Sourced, not run.
# shellcheck shell=bash disable=SC2034,SC2154
#
# Whoever sources it sets `program`, `root` and `logs` first: who speaks, the folder of the project,
# and the folder for logs.

export LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive

build_packages=(
  g++ cmake ninja-build pkgconf capnproto libcapnp-dev libboost-program-options-dev libzmq3-dev
  cppzmq-dev libsodium-dev libsqlite3-dev libsystemd-dev libarchive-dev libspdlog-dev libfmt-dev
  libtomlplusplus-dev libexpected-dev libpugixml-dev nlohmann-json3-dev python3)
test_packages=(catch2 chromium python3 python3-jsonschema python3-nacl iproute2 nftables curl bind9-dnsutils dnsmasq-base gpg openssl systemd)
vmlab_packages=(python3 binutils qemu-system-x86 qemu-utils mmdebstrap e2fsprogs zstd)
container_packages=(python3 lxc uidmap iproute2 mmdebstrap zstd openssl)
clang_packages=(clang-14 libclang-rt-14-dev llvm-14)
lint_packages=(python3 git clang-format-14)
coverage_packages=(python3 gcovr)
model_packages=(python3 spin gcc libc6-dev)
packaging_packages=(dpkg-dev debhelper bash-completion fakeroot)
packaging_test_packages=(python3 lintian man-db bash-completion mmdebstrap zstd systemd)
tidy_packages=(python3 git clang-14 clang-tidy-14)

if [[ -t 1 && -z ${NO_COLOR:-} ]]; then
  bold=$'\e[1m' plain=$'\e[0m'
else
  bold='' plain=''
fi

say() { printf '%s==> %s%s\n' "$bold" "$*" "$plain"; }
note() { printf '    %s\n' "$*"; }
complain() { printf '%s: %s\n' "$program" "$*" >&2; }

# Ends the program: what failed, and on further lines what to do about it.
die() {
  complain "$1"
  shift
  (($# == 0)) || printf '  %s\n' "$@" >&2
  exit 1
}

# The end of a log, where the reason usually is.
show_log() {
  printf -- '---- the end of %s\n' "$1" >&2
  tail -n 25 "$1" >&2 || true
  printf -- '----\n' >&2
}

# What the compilers found wrong, or the end of the log if it was not they who failed.
show_errors() {
  grep -E '(error|undefined reference|Killed)|^FAILED: ' "$1" | cut -c 1-300 | head -n 25 >&2 || show_log "$1"
}

am_root() { ((EUID == 0)); }

# Runs a command as root; asks for the password of sudo at most once.
as_root() {
  if am_root; then "$@"; else sudo -- "$@"; fi
}

# True if as_root will work. Says nothing: whether that is fatal is the caller's business.
can_be_root() {
  am_root && return 0
  command -v sudo >/dev/null || return 1
  sudo -n true 2>/dev/null && return 0
  [[ -t 0 ]] && sudo -v
}

# Sets `debian` to 12 or 13.
find_debian() {
  local id version
  id=$(. /etc/os-release 2>/dev/null && printf '%s' "${ID:-}") || id=''
  version=$(. /etc/os-release 2>/dev/null && printf '%s' "${VERSION_ID:-}") || version=''
  [[ $id == debian && ($version == 12 || $version == 13) ]] ||
    die "this needs Debian 12 or 13 (Proxmox VE 8 or 9 is one, too); here is '${id:-unknown} ${version}'" \
      "try it in a Debian 12 container or virtual machine"
  debian=$version
}

missing_packages() {
  local package
  for package; do
    [[ $(dpkg-query -W -f='${db:Status-Status}\n' "$package" 2>/dev/null) == installed* ]] ||
      printf '%s\n' "$package"
  done
}

# Installs those of the packages that are missing; true if all are there in the end.
install_packages() {
  local -a missing
  mapfile -t missing < <(missing_packages "$@")
  ((${#missing[@]})) || return 0
  say "Installing ${#missing[@]} packages by apt: ${missing[*]}"
  can_be_root || {
    complain "packages are missing, and installing them takes root"
    complain "become root, or install sudo, or let your administrator run:"
    complain "  apt-get install --no-install-recommends ${missing[*]}"
    return 1
  }
  local log=$logs/apt.log
  # A source that cannot be had (a Proxmox without subscription has one) need not matter.
  as_root apt-get -q update >"$log" 2>&1 </dev/null ||
    note "apt-get update had errors (see $log); trying with what it has"
  as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=300 install \
    --no-install-recommends "${missing[@]}" >>"$log" 2>&1 </dev/null || {
    show_log "$log"
    complain "apt could not install what is missing"
    complain "check the network and /etc/apt/sources.list*, then run this again"
    return 1
  }
  mapfile -t missing < <(missing_packages "$@")
  ((${#missing[@]} == 0)) || {
    complain "apt reported success, but these are not installed: ${missing[*]}"
    return 1
  }
}

# Compilers at a time: a core each, and 1.2 GiB of memory each.
job_count() {
  local cores by_memory
  cores=$(nproc)
  by_memory=$(awk '/^MemAvailable:/ { print int($2 / 1258291) }' /proc/meminfo)
  ((by_memory < 1)) && by_memory=1
  echo $((cores < by_memory ? cores : by_memory))
}

# Ninja's output as a line for every tenth of the way.
show_progress() {
  local line tenth shown=0
  while IFS= read -r line; do
    [[ $line =~ ^\[([0-9]+)/([0-9]+)\] ]] || continue
    tenth=$((BASH_REMATCH[1] * 10 / BASH_REMATCH[2]))
    ((tenth > shown && BASH_REMATCH[2] > 20)) || continue
    shown=$tenth
    note "$((tenth * 10)) % of ${BASH_REMATCH[2]} steps"
  done
}

# build PRESET [-D...] [-- TARGET...]: configures and builds in build/PRESET.
build() {
  local preset=$1 log=$logs/build-$1.log
  shift
  local -a settings=() targets=()
  while (($#)) && [[ $1 != -- ]]; do
    settings+=("$1")
    shift
  done
  (($# > 1)) && targets=(--target "${@:2}")
  (cd "$root" && cmake --preset "$preset" "${settings[@]}") >"$log" 2>&1 || {
    show_log "$log"
    complain "configuring the build '$preset' failed; the whole log is $log"
    return 1
  }
  (cd "$root" && cmake --build --preset "$preset" -j "${jobs:-$(job_count)}" "${targets[@]}") 2>&1 |
    tee -a "$log" | show_progress || {
    show_errors "$log"
    complain "building '$preset' failed; the whole log is $log"
    return 1
  }
}
