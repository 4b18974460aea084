#!/bin/bash

# job1: 1 ranks on 1 nodes. Written by lbann-launch.
# shellcheck disable=SC2016,SC2317
set -u
run_dir='/runs/my run'
export OMP_NUM_THREADS=3
export A='it'\''s $HOME'
cd /home/me || exit 10
rm -f "$run_dir/exit_code"
clean_up() {
  rm -rf /tmp/x
}
trap clean_up EXIT

status=0
child=
stopped=
signalled=
pass_on() {
  signalled=$1
  if [ -n "$child" ]; then kill -s "$1" "$child" 2>/dev/null; fi
}
stop() {
  pass_on "$1"
  stopped=$1
}
trap 'stop INT' INT
trap 'stop TERM' TERM
trap 'pass_on HUP' HUP
trap 'pass_on USR1' USR1

# Sends a signal to this script after some seconds.
timers=()
timer() {
  (
    trap 'kill "$sleeper" 2>/dev/null; exit 0' TERM
    sleep "$2" &
    sleeper=$!
    wait "$sleeper"
    kill -s "$1" "$$"
  ) </dev/null >/dev/null 2>&1 &
  timers+=("$!")
}

run() {
  (
    trap - INT QUIT
    exec prog 'a b' 'it'\''s' '$x'
  ) <&0 &
  child=$!
  timers=()
  timer USR1 5100
  timer TERM 5400
  # wait returns early after each signal; what it says when all is known already is no status
  local code
  status=0
  while :; do
    signalled=
    wait "$child" 2>/dev/null
    code=$?
    case $code in
      -1 | 127) if [ "$status" -gt 128 ]; then break; fi ;;
    esac
    status=$code
    if [ -z "$signalled" ]; then break; fi
  done
  child=
  kill "${timers[@]}" 2>/dev/null
}

wants_restart() {
  if [ "$status" -ne 75 ] || [ -e "$run_dir/cancelled" ]; then return 1; fi
  local newest=none last=none stalled=0 path
  for path in '/runs/my run/ckpt'/step-*; do
    if [ -e "$path" ]; then newest=${path##*/}; fi
  done
  if [ -r "$run_dir/restarts" ]; then read -r last stalled <"$run_dir/restarts"; fi
  if [ "$newest" = "$last" ]; then stalled=$((stalled + 1)); else stalled=0; fi
  if [ "$stalled" -ge 3 ]; then
    echo "lbann-launch: started 3 times without a newer checkpoint; giving up" >&2
    return 1
  fi
  echo "$newest $stalled" >"$run_dir/restarts"
}

module load gcc

echo "Started at $(date)"
run
while [ -z "$stopped" ] && wants_restart; do
  echo "Continued at $(date)"
  run
done
if [ -n "$stopped" ]; then echo "lbann-launch: stopped by SIG$stopped" >&2; fi
echo "Finished at $(date)"
echo "$status" >"$run_dir/exit_code"
exit "$status"
