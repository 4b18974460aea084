#!/bin/bash
# flux: --nodes=2
# flux: --nslots=8
# flux: --cores-per-slot=3
# flux: --gpus-per-slot=1
# flux: --time-limit=5400s
# flux: --queue=p1
# flux: '--bank=my bank'
# flux: --requires=c
# flux: --exclusive
# flux: '--requires=host:n[1-2]'
# flux: --requires=-host:n9
# flux: --begin-time=+1h
# flux: --dependency=afterok:f5
# flux: '--setattr=user.comment=a remark'
# flux: --job-name=job1
# flux: --cwd=/home/me

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
    exec flux run --nodes=2 --ntasks=8 --cores-per-task=3 --gpus-per-task=1 --time-limit=5400s --job-name=job1 --cwd=/home/me --signal=USR1@300s --setopt=cpu-affinity=per-task --setopt=pmi=pmix prog 'a b' 'it'\''s' '$x'
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
  id=$(flux --parent batch "$script") || return 1
  if [ -z "$id" ]; then return 1; fi
  echo "flux $id" >>"$run_dir/jobs"
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
