#!/bin/bash
#PBS -l select=2:mpiprocs=4:ncpus=12:ompthreads=3:ngpus=4:mem=65536mb:model=x
#PBS -l place=scatter:excl
#PBS -l walltime=01:30:00
#PBS -q p1
#PBS -A 'my bank'
#PBS -a 2000
#PBS -W depend=afterok:5.s
#PBS -l matlab=1
#PBS -M a@b.org
#PBS -m e
#PBS -N job1
#PBS -o '/runs/my run/scheduler.log'
#PBS -j oe
#PBS -r y

# job1: 8 ranks on 2 nodes. Written by lbann-launch.
# shellcheck disable=SC2016,SC2317
set -u
run_dir='/runs/my run'
script='/runs/my run/batch.sh'
export OMP_NUM_THREADS=3
export LBANN_EXPECTED_WORLD=8
export A='it'\''s $HOME'
cd /home/me || exit 10
exec >>'/runs/my run/out.log' 2>>'/runs/my run/err.log'
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
    exec mpiexec -n 8 prog 'a b' 'it'\''s' '$x'
  ) <&0 &
  child=$!
  timers=()
  timer USR1 5100
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

restart() {
  local id
  if [ -n "$stopped" ]; then return 1; fi
  id=$(qsub "$script") || return 1
  if [ -z "$id" ]; then return 1; fi
  echo "pbs $id" >>"$run_dir/jobs"
}

module load gcc

echo "Started at $(date)"
run
if wants_restart && restart; then
  echo "To be continued, $(date)"
  exit 75
fi
if [ -n "$stopped" ]; then echo "lbann-launch: stopped by SIG$stopped" >&2; fi
echo "Finished at $(date)"
echo "$status" >"$run_dir/exit_code"
exit "$status"
