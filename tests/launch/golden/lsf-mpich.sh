#!/bin/bash
#BSUB -n 8
#BSUB -R 'span[ptile=4]'
#BSUB -R 'affinity[core(3)]'
#BSUB -gpu num=4
#BSUB -R 'rusage[mem=65536MB]'
#BSUB -cwd /home/me
#BSUB -W 1:30
#BSUB -q p1
#BSUB -P 'my bank'
#BSUB -J job1
#BSUB -o '/runs/my run/scheduler.log'
#BSUB -r
#BSUB -wa USR1
#BSUB -wt 5

# job1: 8 ranks on 2 nodes. Written by lbann-launch.
# shellcheck disable=SC2016,SC2317
set -u
run_dir='/runs/my run'
script='/runs/my run/batch.sh'
export OMP_NUM_THREADS=3
export LBANN_EXPECTED_WORLD=8
export A='it'\''s $HOME'
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

run() {
  (
    trap - INT QUIT
    exec mpiexec.hydra -n 8 -ppn 4 -wdir /home/me -bind-to core:3 prog 'a b' 'it'\''s' '$x'
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

restart() {
  local id
  if [ -n "$stopped" ]; then return 1; fi
  id=$(bsub < "$script" | sed -n 's/^Job <\([0-9]*\)>.*/\1/p') || return 1
  if [ -z "$id" ]; then return 1; fi
  echo "lsf $id" >>"$run_dir/jobs"
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
