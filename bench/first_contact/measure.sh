#!/usr/bin/env bash
# What somebody who meets weft waits for; prints one number. first_contact.cpp calls it.
#
#   header NAME              CPU seconds that the compiler needs for one header alone, at -O0
#   slowest_header           the name of weft's public header that needs the most, but for weft/weft.hpp
#   library                  seconds that pass until all of weft's libraries are built, without a cache
#   hello                    CPU seconds for the program of the README, compiled and linked by CMake
#   static_hello             MiB of that program with weft and the C++ library in it, stripped; libc and libdw stay shared
#   demo                     seconds from a clone to the end of `./dev demo`, without a cache; packages are there
#
# Of the environment: WEFT_SOURCE, the project; WEFT_BUILD, its build folder; CXX, CC, the compilers.
set -euo pipefail
export CCACHE_DISABLE=1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Runs a command without its output; prints the CPU seconds of its processes.
cpu_seconds_of() {
  times >"$work/before"
  "$@" >"$work/output" 2>&1 || { tail -n 1 "$work/output"; exit 1; }
  times >"$work/after"
  # The second line has user and system seconds of all children that have ended.
  awk -F '[ms ]+' 'FNR == 2 { all[++n] = $1 * 60 + $2 + $3 * 60 + $4 } END { print all[2] - all[1] }' \
    "$work/before" "$work/after"
}

seconds_of() {
  local before=$EPOCHREALTIME
  "$@" >"$work/output" 2>&1 || { tail -n 1 "$work/output"; exit 1; }
  awk -v a="$EPOCHREALTIME" -v b="$before" 'BEGIN { print a - b }'
}

compile_header() {
  printf '#include <%s>\n' "$1" >"$work/one.cpp"
  "$CXX" -std=c++20 -O0 -I"$WEFT_SOURCE/include" -c "$work/one.cpp" -o "$work/one.o"
}

slowest_header() {
  local header
  (cd "$WEFT_SOURCE/include" && find weft -name '*.hpp' ! -path weft/weft.hpp | sort) |
    while read -r header; do
      echo "$(cpu_seconds_of compile_header "$header") $header"
    done | sort -n | tail -n 1 | cut -d ' ' -f 2
}

configure() {
  local source=$1 to=$2
  shift 2
  cmake -S "$source" -B "$to" -G Ninja "-DCMAKE_CXX_COMPILER=$CXX" "-DCMAKE_C_COMPILER=$CC" "$@" >"$work/output" 2>&1 ||
    { tail -n 1 "$work/output"; exit 1; }
}

# As a user has it: found in the build folder.
configure_hello() {
  configure "$WEFT_SOURCE/bench/first_contact/hello" "$work/hello" "-Dweft_DIR=$WEFT_BUILD" \
    "-DHELLO=$WEFT_SOURCE/examples/hello/hello.cpp" "$@"
}

case $1 in
  header) cpu_seconds_of compile_header "$2" ;;
  slowest_header) slowest_header ;;
  library)
    configure "$WEFT_SOURCE" "$work/library" -DCMAKE_BUILD_TYPE=Release -DWEFT_DEVELOPER=OFF
    seconds_of cmake --build "$work/library"
    ;;
  hello)
    configure_hello -DCMAKE_BUILD_TYPE=Release
    cpu_seconds_of cmake --build "$work/hello"
    ;;
  static_hello)
    configure_hello -DCMAKE_BUILD_TYPE=Release "-DCMAKE_EXE_LINKER_FLAGS=-static-libgcc -static-libstdc++"
    cmake --build "$work/hello" >"$work/output" 2>&1 || { tail -n 1 "$work/output"; exit 1; }
    strip "$work/hello/hello"
    stat --format %s "$work/hello/hello" | awk '{ print $1 / 1048576 }'
    ;;
  demo)
    git clone --quiet "$WEFT_SOURCE" "$work/clone"
    seconds_of "$work/clone/dev" demo
    ;;
  *)
    echo "measure.sh: there is no figure '$1'" >&2
    exit 2
    ;;
esac
