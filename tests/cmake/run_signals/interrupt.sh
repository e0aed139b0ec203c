# interrupt.sh SIGNAL FILE COMMAND...: starts the command, waits for the files FILE, FILE.own and
# FILE.alone, and sends it the signal. Exit code 0 if the command ended by it.
set -u
signal=$1 file=$2
shift 2
# A shell without job control starts what is in the background with SIGINT ignored.
env --default-signal=INT,QUIT "$@" &
pid=$!
attempt=0
until [ -e "$file" ] && [ -e "$file.own" ] && [ -e "$file.alone" ]; do
  attempt=$((attempt + 1))
  if [ "$attempt" -gt 300 ] || ! kill -0 "$pid"; then
    echo "the tests that hold did not start"
    kill -KILL "$pid"
    exit 1
  fi
  sleep 0.1
done
kill -s "$signal" "$pid"
wait "$pid"
status=$?
[ "$status" -gt 128 ] || {
  echo "SIG$signal: exit code $status"
  exit 1
}
