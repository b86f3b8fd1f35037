#!/usr/bin/env bash
# What the first minutes on a GPU should answer, in about 8 minutes of one H100 or H200; nothing is downloaded.
#
#     bash benchmarks/first_gpu_minutes.sh                                  the whole of it, 3B and 7B
#     bash benchmarks/first_gpu_minutes.sh --device cpu                     tiny shapes: does every part run?
#
# PYTHON names the interpreter of the environment (python), OUT the folder of the results (runs/first_gpu), LIMIT_S the
# seconds that one part may take (240): what does not end leaves a line, and the rest goes on. Commit OUT/results.md
# with the card's name; emotrain/planning/machine.py has the share of the peak that `emotrain plan` should rest on.
set -uo pipefail
cd "$(dirname "$0")/.."
python=${PYTHON:-python} out=${OUT:-runs/first_gpu} limit=${LIMIT_S:-240}
mkdir -p "$out"
results=$out/results.md
: >"$results"
export HF_HUB_OFFLINE=1 TOKENIZERS_PARALLELISM=false

large=(--shapes 3b --batches 4 16) larger=(--shapes 7b --batches 4) compiled=(--also="--batches 4 --compile") train=()
if [[ ${1:-} == --device && ${2:-} == cpu ]]; then
  large=(--shapes tiny --batches 1 2 --device cpu --keyframes 2 --text 40 --spread 0 --multiple 1 --steps 1)
  larger=() compiled=() train=(--shape tiny --device cpu --steps 2 --clips 8 --batch 2 --accumulation 1)
elif (($# > 0)); then
  echo "usage: bash benchmarks/first_gpu_minutes.sh [--device cpu]" >&2
  exit 2
fi

failed=0
part() { # TITLE COMMAND...
  local title=$1 status=0
  shift
  echo "## $title" | tee -a "$results"
  timeout "$limit" "$@" 2>"$out/errors.log" | tee -a "$results" || status=$?
  if ((status != 0)); then
    failed=$((failed + 1))
    { echo "ended with status $status (124: after $limit s)" && tail -n 5 "$out/errors.log"; } | tee -a "$results"
  fi
  echo | tee -a "$results"
}
command -v nvidia-smi >/dev/null && nvidia-smi --query-gpu=name,driver_version,memory.total --format=csv,noheader | tee -a "$results"
one="--batches ${large[3]}"
part "steps of 3B as the recipes train, then with one thing changed" "$python" benchmarks/gpu.py "${large[@]}" \
  --also="--no-checkpointing --dropout 0" --also="$one --cudnn" --also="$one --tower loop" --also="$one --lora peft" \
  --also="$one --stored" "${compiled[@]}"
((${#larger[@]} == 0)) || part "steps of 7B" "$python" benchmarks/gpu.py "${larger[@]}" --also="--no-checkpointing --dropout 0"
part "a real run" "$python" benchmarks/first_gpu_train.py --out "$out/train" "${train[@]}"
echo "$failed part(s) failed; $results has it all"
((failed == 0))
