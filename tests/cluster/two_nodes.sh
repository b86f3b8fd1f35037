#!/usr/bin/env bash
# A SLURM cluster of two nodes on this machine, for tests: every file in one folder, every daemon on the loopback.
#
#     tests/cluster/two_nodes.sh check          can it run here? says what is missing, status 1 when something is
#     tests/cluster/two_nodes.sh start FOLDER   starts munged, slurmctld and two slurmd; FOLDER/slurm.conf is theirs
#     tests/cluster/two_nodes.sh stop FOLDER    ends those daemons, by their process ids, and nothing else
#
# Then: export SLURM_CONF=FOLDER/slurm.conf; sinfo
# Nothing is installed by this script: apt-get install -y slurm-wlm munge
set -euo pipefail

NODES=(node1 node2)

missing() {
  echo "no test cluster: $1" >&2
  exit 1
}

check() {
  for program in slurmctld slurmd munged sbatch srun unshare; do
    PATH=$PATH:/usr/sbin command -v "$program" >/dev/null ||
      missing "$program is not installed; as root: apt-get install -y slurm-wlm munge"
  done
  [[ $(id -u) == 0 ]] || missing "the daemons put each node into a namespace of its own, which takes root"
  unshare --uts --mount true 2>/dev/null || missing "this container may not make namespaces (unshare failed)"
}

free_port() {
  python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

configure() {
  local home=$1
  mkdir -p "$home"/{munge,state,log,pid}
  chmod 755 "$home" "$home/munge"
  head -c 1024 /dev/urandom >"$home/munge/key"
  chmod 600 "$home/munge/key"
  { echo "127.0.0.1 localhost $(hostname)"; for node in "${NODES[@]}"; do echo "127.0.0.1 $node"; done; } >"$home/hosts"
  # slurmstepd refuses to start without a cgroup plug-in it can load, also when nothing uses it.
  printf '%s\n' CgroupPlugin=cgroup/v1 CgroupAutomount=no >"$home/cgroup.conf"
  cat >"$home/slurm.conf" <<CONF
ClusterName=two-nodes
SlurmctldHost=$(hostname)(127.0.0.1)
SlurmctldPort=$(free_port)
SlurmUser=root
AuthType=auth/munge
CredType=cred/munge
# A requeued job may start again cred_expire seconds later.
AuthInfo=socket=$home/munge/socket,cred_expire=10
CommunicationParameters=NoCtldInAddrAny,NoInAddrAny
StateSaveLocation=$home/state
SlurmdSpoolDir=$home/spool-%n
SlurmctldPidFile=$home/pid/slurmctld
SlurmdPidFile=$home/pid/slurmd-%n
SlurmctldLogFile=$home/log/slurmctld
SlurmdLogFile=$home/log/slurmd-%n
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
MpiDefault=none
SlurmdParameters=config_overrides
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
# Without it a preempted job is killed unwarned.
SlurmctldParameters=preempt_send_user_signal
SchedulerParameters=sched_interval=1,bf_interval=1,sched_min_interval=0,batch_sched_delay=0
EnforcePartLimits=ALL
ReturnToService=2
KillWait=5
MinJobAge=3600
GresTypes=gpu
CONF
  for node in "${NODES[@]}"; do
    echo "NodeName=$node NodeAddr=127.0.0.1 Port=$(free_port) CPUs=18 RealMemory=16000 Gres=gpu:h100:2 State=UNKNOWN"
  done >>"$home/slurm.conf"
  cat >>"$home/slurm.conf" <<CONF
PartitionName=main Nodes=node1,node2 Default=YES MaxTime=60 PriorityTier=1 PreemptMode=REQUEUE GraceTime=120 State=UP
PartitionName=steady Nodes=node1,node2 MaxTime=60 PriorityTier=1 PreemptMode=OFF State=UP
PartitionName=high Nodes=node1,node2 MaxTime=60 PriorityTier=10 PreemptMode=OFF State=UP
CONF
  # Devices that exist everywhere and harm nobody stand for the graphics cards.
  printf 'NodeName=%s Name=gpu Type=h100 File=%s\n' \
    node1 /dev/null node1 /dev/zero node2 /dev/null node2 /dev/zero >"$home/gres.conf"
}

start() {
  local home
  home=$(realpath -m "$1")
  check
  configure "$home"
  export SLURM_CONF=$home/slurm.conf
  munged --key-file="$home/munge/key" --socket="$home/munge/socket" --pid-file="$home/pid/munged" \
    --log-file="$home/log/munged" --seed-file="$home/munge/seed"
  slurmctld -c
  for node in "${NODES[@]}"; do
    # Each node has its own host name and finds both names on the loopback, as a real node finds its neighbours.
    # shellcheck disable=SC2016  # $1 and $2 are of the inner shell
    unshare --uts --mount --propagation private bash -c \
      'hostname "$1" && mount --bind "$2/hosts" /etc/hosts && exec slurmd -N "$1"' _ "$node" "$home"
  done
  for _ in $(seq 100); do
    [[ $(sinfo --noheader --responding --format=%D --states=idle 2>/dev/null) == "${#NODES[@]}" ]] && return
    sleep 0.1
  done
  stop "$home"
  missing "the nodes did not come up within 10 s; see $home/log"
}

stop() {
  local home=$1 file pid
  for file in "$home"/pid/slurmd-* "$home"/pid/slurmctld "$home"/pid/munged; do
    [[ -f $file ]] || continue
    pid=$(<"$file")
    kill "$pid" 2>/dev/null || true
    for _ in $(seq 50); do
      kill -0 "$pid" 2>/dev/null || break
      sleep 0.1
    done
  done
}

PATH=$PATH:/usr/sbin
case ${1-} in
check) check ;;
start) start "${2:?FOLDER}" ;;
stop) stop "${2:?FOLDER}" ;;
*)
  sed -n '2,9s/^# \{0,1\}//p' "$0" >&2
  exit 2
  ;;
esac
