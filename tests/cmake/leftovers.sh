# leftovers.sh CASE RUNTIME_DIR: names what a case has left behind, waiting for it to go for five
# seconds. Exit code 0 if all is gone. The case's processes are those that were started with
# ISOENV_CASE=CASE in their environment; this shell is not.

left() {
  # What cannot be read has ended in the meantime, or is somebody else's.
  for environ in $(grep -lzxF "ISOENV_CASE=$1" /proc/[0-9]*/environ 2>/dev/null); do
    process=${environ%/environ}
    echo "process ${process#/proc/}: $(tr '\0' ' ' <"$process/cmdline" 2>/dev/null)"
  done
  find "$2" -mindepth 1 -maxdepth 1 -type d | sed 's/^/run directory /'
}

attempt=0
while found=$(left "$1" "$2") && [ -n "$found" ]; do
  attempt=$((attempt + 1))
  if [ "$attempt" -gt 50 ]; then
    printf '%s\n' "$found"
    exit 1
  fi
  sleep 0.1
done
