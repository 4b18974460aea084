#!/bin/bash
#SBATCH --nodes=2
#SBATCH --ntasks=8
#SBATCH --ntasks-per-node=4
#SBATCH --cpus-per-task=3
#SBATCH --gpus-per-node=4
#SBATCH --time=0-01:30:00
#SBATCH --partition=p1
#SBATCH '--account=my bank'
#SBATCH --job-name=job1
#SBATCH --chdir=/home/me
#SBATCH '--output=/runs/my run/out.log'
#SBATCH --open-mode=append
#SBATCH '--error=/runs/my run/err.log'
#SBATCH --requeue
#SBATCH --signal=B:USR1@300

# job1: 8 ranks on 2 nodes. Written by lbann-launch.
# shellcheck disable=SC2016,SC2317
set -u
run_dir='/runs/my run'
script='/runs/my run/batch.sh'
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
    exec mpirun -n 8 --map-by ppr:4:node:PE=3 -x OMP_NUM_THREADS -wdir /home/me -x A --bind-to core prog 'a b' 'it'\''s' '$x'
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
  # The user's scancel is the end; the scheduler's reasons are not.
  local state id
  state=$(scontrol show job --oneliner "$SLURM_JOB_ID" | sed -n 's/.*JobState=\([A-Z_]*\).*/\1/p')
  case $state in
    CANCELLED) return 1 ;;
    RUNNING) if scontrol requeue "$SLURM_JOB_ID"; then return 0; fi ;;
  esac
  id=$(sbatch --parsable "$script" | cut -d ';' -f 1) || return 1
  if [ -z "$id" ]; then return 1; fi
  echo "slurm $id" >>"$run_dir/jobs"
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
