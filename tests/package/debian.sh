#!/bin/sh
# debian.sh FOLDER: installs FOLDER/packages/*.deb in a layer over this machine's files, and uses them there. In a mount
# namespace of its own.
set -eu
folder=$1
inside=${2:-}

if [ -z "$inside" ]; then
  mount -t tmpfs layers "$folder/layers"
  mkdir "$folder/layers/changes" "$folder/layers/work" "$folder/layers/all"
  mount -t overlay -o "lowerdir=/,upperdir=$folder/layers/changes,workdir=$folder/layers/work" all "$folder/layers/all"
  for part in proc dev; do mount --rbind /$part "$folder/layers/all/$part"; done
  # FOLDER and the compiler's launcher may be in other file systems than /.
  mkdir -p "$folder/layers/all/$folder"
  mount --bind "$folder" "$folder/layers/all/$folder"
  exec chroot "$folder/layers/all" "$0" "$folder" inside
fi

say() { echo "== $*"; }
fail() {
  echo "debian.sh: $*" >&2
  exit 1
}
cd "$folder/packages"
[ ! -e /usr/include/weft ] || fail "there is a weft before any was installed"

say "a program against libweft-dev"
dpkg -i libweft0*.deb libweft-dev*.deb
dpkg --verify libweft-dev
cmake -S "$folder/outside/consumer" -B "$folder/outside/build" -G "$GENERATOR" -DCMAKE_CXX_COMPILER="$CXX"
cmake --build "$folder/outside/build" --target consumer simulated
"$folder/outside/build/consumer"
ldd "$folder/outside/build/consumer" | grep -q '/lib/[^ ]*libweft_fiber.so.0' || fail "the program is linked with another weft"
# shellcheck disable=SC2046  # words are wanted
"$CXX" -std=c++20 "$folder/outside/consumer/main.cpp" -o "$folder/outside/by_pkg_config" $(pkg-config --cflags --libs weft)
env REGISTERED_static=yes REGISTERED_shared=yes "$folder/outside/by_pkg_config"

say "the program with the libraries alone"
dpkg -r libweft-dev
"$folder/outside/build/consumer"
[ ! -e /usr/include/weft ] || fail "libweft-dev left its headers"

say "the command"
dpkg -i weft_*.deb
weft --version
weft doctor
[ -e /usr/share/man/man1/weft.1 ] || [ -e /usr/share/man/man1/weft.1.gz ] || fail "weft has no manual"
dpkg-query --show --showformat '${Package} needs: ${Depends}\n' weft 'libweft0*'
dpkg -P weft "$(dpkg-query --show --showformat '${Package}' 'libweft0*')"
left=$(find /usr/bin /usr/lib /usr/share /usr/include -name '*weft*')
[ -z "$left" ] || fail "left behind: $left"
