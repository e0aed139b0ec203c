#!/bin/sh
# versions.sh [-R REGEX] BUILD CMAKE...: runs the cases of this folder with other versions of CMake.
#
# BUILD is a build directory of IsoEnv, built; each CMAKE is the path of a cmake beside its ctest.
# Prints what fails, and a line for each version. Exit code 0 if nothing failed.
set -u

usage() {
  echo "usage: versions.sh [-R REGEX] BUILD CMAKE..." >&2
  exit 2
}

cases=.
while getopts R: option; do
  case $option in
  R) cases=$OPTARG ;;
  *) usage ;;
  esac
done
shift $((OPTIND - 1))
[ $# -ge 2 ] || usage
build=$(CDPATH='' cd -- "$1" && pwd) || exit 2
shift

folder=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
settings=$(find "$build/tests/cmake" -maxdepth 1 -name 'settings-*.cmake' | head -n 1)
[ -n "$settings" ] || {
  echo "versions.sh: '$build' is no build directory of IsoEnv, or is not configured" >&2
  exit 2
}
names=$(ctest --test-dir "$build" -N -L '^cmake$' | sed -n 's/^ *Test *#[0-9]*: cmake\.//p' |
  grep -E -- "$cases")
[ -n "$names" ] || {
  echo "versions.sh: no case matches '$cases'" >&2
  exit 2
}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
status=0
for cmake in "$@"; do
  version=$("$cmake" --version | sed -n 's/^cmake version //p') || version=
  [ -n "$version" ] || {
    echo "versions.sh: '$cmake' is no CMake" >&2
    exit 2
  }
  passed=0 failed=0 skipped=0
  for name in $names; do
    error=${name#error.}
    if [ "$error" != "$name" ]; then case_name=errors; else case_name=$name; fi
    if "$cmake" "-DSETTINGS=$settings" "-DCASE=$case_name" "-DERROR=$error" \
      "-DWORK_DIR=$work/$name" -P "$folder/run_case.cmake" >"$work/log" 2>&1; then
      if grep -q 'IsoEnv cannot run here' "$work/log"; then
        skipped=$((skipped + 1))
        echo "cmake $version: $name: skipped"
      else
        passed=$((passed + 1))
      fi
    else
      failed=$((failed + 1))
      status=1
      echo "cmake $version: $name: FAILED"
      cat "$work/log"
    fi
    rm -rf "${work:?}/$name"
  done
  echo "cmake $version: $passed passed, $failed failed, $skipped skipped"
done
exit $status
