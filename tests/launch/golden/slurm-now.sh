#!/bin/bash

# job1: 8 ranks on 2 nodes. Written by lbann-launch.
# shellcheck disable=SC2016,SC2317
set -u
run_dir='/runs/my run'
export OMP_NUM_THREADS=3
export LBANN_EXPECTED_WORLD=8
export A='it'\''s $HOME'
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
  if [ -z "$stopped" ]; then pass_on TERM; else pass_on "$1"; fi
  stopped=$1
}
trap 'stop INT' INT
trap 'stop TERM' TERM
trap 'pass_on HUP' HUP
trap 'pass_on USR1' USR1

run() {
  (
    trap - INT QUIT
    exec srun --nodes=2 --ntasks=8 --ntasks-per-node=4 --cpus-per-task=3 --time=0-01:30:00 --partition=p1 --job-name=job1 --chdir=/home/me --signal=USR1@300 prog 'a b' 'it'\''s' '$x'
  ) <&0 &
  child=$!
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
