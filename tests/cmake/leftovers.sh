# leftovers.sh CASE RUNTIME_DIR: what a case has left behind after five seconds at most; exit code 0
# if nothing. Its processes are those with ISOENV_CASE=CASE in their environment.

left() {
  for environ in /proc/[0-9]*/environ; do
    pid=${environ#/proc/}
    pid=${pid%/environ}
    [ "$pid" != $$ ] || continue
    # A zombie has no environment left to read.
    grep -qzxF "ISOENV_CASE=$1" "$environ" 2>/dev/null || continue
    ancestor "$pid" || echo "process $pid: $(tr '\0' ' ' <"/proc/$pid/cmdline" 2>/dev/null)"
  done
  find "$2" -mindepth 1 -maxdepth 1 -type d 2>/dev/null | sed 's/^/run directory: /'
}

# Whether $1 is above this shell, as the runner of the case is.
ancestor() {
  above=$$
  while [ "$above" -gt 1 ]; do
    [ "$above" != "$1" ] || return 0
    above=$(sed 's/.*) //' "/proc/$above/stat" | cut -d' ' -f2)
  done
  return 1
}

attempt=0
while [ "$attempt" -lt 50 ]; do
  found=$(left "$1" "$2" | grep -v ' grep \| find ')
  [ -n "$found" ] || exit 0
  attempt=$((attempt + 1))
  sleep 0.1
done
printf '%s\n' "$found"
exit 1
