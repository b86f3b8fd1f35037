# Sourced by the job scripts: the words in front of python, a line in the chain's log, and what a job does when SLURM
# asks for its nodes back.
#
# SLURM warns the batch shell with SIGUSR1 (`--signal=B:USR1@SECONDS`, before the time limit and before a preemption)
# or SIGTERM. The shell then creates $EMOTRAIN_STOP_FILE. Training looks for it after every step, writes a complete
# checkpoint and ends; the job puts itself back into the queue and later goes on from there, step for step. The other
# stages are ended by SLURM's SIGTERM and put back likewise: a job that merely died of it would count as failed.
# shellcheck shell=bash

# A job submitted from inside another inherits its array task and its restarts; a job asks only about itself.
if [[ -n ${SLURM_ARRAY_TASK_ID:-}${SLURM_RESTART_COUNT:-} ]]; then
  own=$(scontrol --oneliner show job "$SLURM_JOB_ID" 2>/dev/null | grep -E "(^| )JobId=$SLURM_JOB_ID ") || own=
  if [[ -n $own && -n ${SLURM_ARRAY_TASK_ID:-} && " $own " != *" ArrayJobId=${SLURM_ARRAY_JOB_ID:-none} "* ]]; then
    unset SLURM_ARRAY_JOB_ID SLURM_ARRAY_TASK_ID SLURM_ARRAY_TASK_COUNT SLURM_ARRAY_TASK_MIN SLURM_ARRAY_TASK_MAX \
      SLURM_ARRAY_TASK_STEP
  fi
  if [[ $own =~ \ Restarts=([0-9]+) ]]; then export SLURM_RESTART_COUNT=${BASH_REMATCH[1]}; fi
fi
attempt=${SLURM_RESTART_COUNT:-0}
job=$SLURM_JOB_ID
[[ -z ${SLURM_ARRAY_TASK_ID:-} ]] || job=${SLURM_ARRAY_JOB_ID}_$SLURM_ARRAY_TASK_ID
# srun does not inherit it. Where it was not asked for, a step gets what the job has, not one core.
unset SRUN_CPUS_PER_TASK
[[ -z ${SLURM_CPUS_PER_TASK:-} ]] || export SRUN_CPUS_PER_TASK=$SLURM_CPUS_PER_TASK

record() { # MESSAGE
  echo "$(date -Is) $SLURM_JOB_NAME (job $job) $1"
  [[ -z ${EMOTRAIN_CHAIN_LOG:-} ]] || echo "$(date -Is) $SLURM_JOB_NAME (job $job) $1" >>"$EMOTRAIN_CHAIN_LOG"
}

record_end() { # STATUS
  if (($1 == 0)); then
    record "is done"
  elif [[ -n ${said_end:-} ]]; then
    return 0
  elif is_running; then
    local fault
    if fault=$(first_fault); then fault=": $fault"; fi
    record "FAILED with exit status $1$fault"
  else
    record "is ended by SLURM: cancelled, requeued or out of time"
  fi
}

# What the first process said that ended with an error of its own (emotrain/job_notes.py); those that only lost their
# connection to it say nothing. Status 1 when none did.
first_fault() {
  local first='' file
  [[ -n ${EMOTRAIN_STOP_FILE:-} ]] || return 1
  for file in "$EMOTRAIN_STOP_FILE".fault-*; do
    [[ ! -e $file ]] || [[ -n $first && ! $file -ot $first ]] || first=$file
  done
  [[ -n $first ]] || return 1
  if [[ -s $first ]]; then
    head -n 1 "$first"
  else
    echo "rank ${first##*.fault-} ended with an error and could not write it down: is the disk full?"
  fi
}

# What the job's first process is at, as it wrote it itself: "evaluating", "before its first step".
activity() {
  if [[ -s ${EMOTRAIN_STOP_FILE:-}.doing ]]; then echo " while $(head -n 1 "$EMOTRAIN_STOP_FILE.doing")"; fi
}

# Cancelled, requeued and timed-out jobs are not RUNNING. When SLURM gives no answer, the job counts as running: a
# preempted training that gave up would lose more than one that goes back into the queue for nothing.
is_running() {
  local state wait
  for wait in 3 6 0; do
    if state=$(squeue --noheader --jobs="$job" --format=%T); then
      # With its status said: in a trap, a bare `return` gives that of the command before the trap.
      if [[ $state == RUNNING ]]; then return 0; else return 1; fi
    fi
    sleep "$wait"
  done
  record "squeue does not answer; the job is taken for running"
}
trap 'record_end $?' EXIT
record "attempt $((attempt + 1)) starts on ${SLURM_JOB_NODELIST:-this node}"

# xargs splits words at blanks and honours quotes, without expanding anything. What it cannot read ends the job: a
# command without its last words could do something else.
split_words() { # ARRAY VARIABLE
  local words
  words=$(xargs -r printf '%s\n' <<<"${!2:-}") || {
    record "cannot read the words of $2: a quote is not closed, or stands in a word without other quotes around it"
    exit 2
  }
  [[ -z $words ]] || mapfile -t "$1" <<<"$words"
}
container=() srun_flags=()
split_words container EMOTRAIN_CONTAINER
split_words srun_flags EMOTRAIN_SRUN_FLAGS
# shellcheck disable=SC2034 # the scripts that source this use it
emotrain=(srun --nodes=1 --ntasks=1 "${srun_flags[@]}" "${container[@]}" python -m emotrain.cli)

# With SECONDS, work that goes on for so long after the request is ended: at the time limit it would be too late for
# the job to put itself back into the queue.
prepare_to_stop() { # FOLDER [SECONDS]
  mkdir -p "$1"
  patience_s=${2:-}
  # One file an attempt: the next attempt must not see this one's request.
  export EMOTRAIN_STOP_FILE=$1/stop-$job-$attempt
  rm -f "$EMOTRAIN_STOP_FILE" "$EMOTRAIN_STOP_FILE".{stopped,doing,kept} "$EMOTRAIN_STOP_FILE".fault-*
  trap 'ask_to_stop USR1' USR1
  trap 'ask_to_stop TERM' TERM
}

ask_to_stop() { # SIGNAL
  signalled=1
  touch "$EMOTRAIN_STOP_FILE"
  record "got SIG$1$(activity)"
  # scancel leaves half a minute until SIGKILL, which leaves no last word: it is said now.
  local state
  if [[ $1 == TERM && -z ${said_end:-} ]] && state=$(squeue --noheader --jobs="$job" --format=%T) &&
    [[ $state != RUNNING ]]; then
    record "is ended by SLURM: cancelled, requeued or out of time"
    said_end=1
  fi
  if [[ -n $patience_s && -z ${timer:-} ]]; then
    { sleep "$patience_s" && kill -TERM "$command"; } 2>/dev/null &
    timer=$!
  fi
}

# Runs a command and keeps its exit status in $status. The command runs in the background, because bash runs its traps
# only when no foreground command is running; a trapped signal ends `wait`, too.
run_until_stopped() {
  "$@" &
  local command=$!
  while :; do
    signalled=0 status=0
    wait "$command" || status=$?
    ((signalled)) || break
  done
  [[ -z ${timer:-} ]] || kill "$timer" 2>/dev/null || true
}

# Attempts in a row that left no new checkpoint are counted in FOLDER, which is the same one for all attempts.
count_idle_attempts() { # FOLDER
  mkdir -p "$1"
  idle_count=$1/idle-$job
}

# Back into the queue after a stop, unless the job was cancelled, has been back too often or gets nowhere.
requeue_if_stopped() {
  local most=${EMOTRAIN_MAX_RESTARTS:-100} idle=0
  if ((status == 0)); then
    return 0
  elif [[ ! -e $EMOTRAIN_STOP_FILE && ! -e $EMOTRAIN_STOP_FILE.stopped ]]; then
    # SLURM ends the other nodes when a rank fails; their status is that of a preemption, and the fault would come again.
    if first_fault >/dev/null; then return 0; fi
    case $status in
    143) ;;         # SIGTERM: preempted by a cluster that does not warn the batch shell
    137) most=3 ;;  # SIGKILL: out of memory, perhaps, and then it would be so again
    *) return 0 ;;
    esac
  fi
  is_running || return 0 # it was cancelled, or SLURM requeues it by itself
  if [[ -n ${idle_count:-} ]]; then
    [[ -e $EMOTRAIN_STOP_FILE.kept ]] || idle=$(($(cat "$idle_count" 2>/dev/null || echo 0) + 1))
    echo "$idle" >"$idle_count"
  fi
  if ((idle >= 3)); then
    rm -f "$idle_count"
    record "ended $idle times in a row without a new checkpoint and gives up: give it more time (time_limit), or lower save_steps"
  elif ((attempt >= most)); then
    record "has been back in the queue $attempt times and gives up (EMOTRAIN_MAX_RESTARTS; 3 after a kill)"
  else
    requeue
  fi
}

requeue() {
  local wait
  record "goes back into the queue"
  trap - TERM EXIT
  trap '' USR1
  for wait in 3 6 12 0; do
    if scontrol requeue "$job"; then
      sleep 60 # until SLURM ends this attempt: leaving first would let the job count as failed
      return 0
    fi
    sleep "$wait"
  done
  trap 'record_end $?' EXIT
  record "could not be put back into the queue; when SLURM answers: scontrol requeue $job"
}
