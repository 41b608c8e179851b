# The agent that ./quickstart runs: one process on loopback, found again by its pid file, and never
# taken for another. Sourced, not run. Needs `home`, `logs`, `bin`, `root` and `machine`.
# shellcheck shell=bash disable=SC2154

# Sets `agent_root` to yes if the agent runs as root.
choose_rights() {
  agent_root=no
  # What began as root stays so: its files are root's.
  if can_be_root; then
    agent_root=yes
  elif [[ -d $home/agent && ! -O $home/agent ]]; then
    die "the agent's files are root's, and there is no way to become root now" "use sudo as the last time"
  fi
}

say_what_will_be_missing() {
  [[ $agent_root == no ]] || return 0
  note "neither root nor sudo: the agent runs as $(id -un). SMART data, other users' sockets, crontabs,"
  note "containers and parts of ZFS and Proxmox will be missing; the audit will say so, and the gate stay shut"
}

as_agent() {
  if [[ $agent_root == yes ]]; then as_root "$@"; else "$@"; fi
}

# Is the process of the pid file our agent? Its program may have been built anew since.
agent_runs() {
  local pid program
  pid=$(cat "$home/agent.pid" 2>/dev/null) && [[ $pid =~ ^[0-9]+$ && -d /proc/$pid ]] || return 1
  program=$(as_agent readlink "/proc/$pid/exe" 2>/dev/null) || return 1
  [[ ${program% (deleted)} == "$(readlink -f "$bin/relab-agent")" ]] || return 1
  tr '\0' '\n' <"/proc/$pid/cmdline" | grep -qxF -- "$home/agent"
}

agent_is_current() {
  agent_runs && [[ $(as_agent readlink "/proc/$(cat "$home/agent.pid")/exe") != *' (deleted)' ]]
}

# Does that process itself listen on that port of loopback?
listens() {
  local pid=$1 port=$2 inode
  inode=$(awk -v at="0100007F:$(printf '%04X' "$port")" '$2 == at && $4 == "0A" { print $10 }' /proc/net/tcp)
  [[ -n $inode ]] && as_agent ls -l "/proc/$pid/fd" 2>/dev/null | grep -qF "socket:[$inode]"
}

port_is_taken() {
  awk -v end=":$(printf '%04X' "$1")" \
    '$4 == "0A" && substr($2, length($2) - 4) == end { found = 1 } END { exit !found }' \
    /proc/net/tcp /proc/net/tcp6 2>/dev/null
}

# Sets `port`: the one of the last time unless somebody else has taken it.
choose_port() {
  port=$(cat "$home/port" 2>/dev/null) || port=7460
  if ! agent_runs; then
    while port_is_taken "$port"; do
      ((port < 7560)) || die "no port from 7460 to 7560 is free on 127.0.0.1"
      ((++port))
    done
  fi
  echo "$port" >"$home/port"
}

# Runs relab-agent with its own state directory.
agent_arguments() {
  arguments=("$bin/relab-agent" "$@" --state-dir "$home/agent" --listen "tcp://127.0.0.1:$port"
    --name "$machine" --role proxmox --roles-dir "$root/packaging/roles")
}

agent_fingerprint() {
  local arguments
  agent_arguments identity
  as_agent "${arguments[@]}" 2>/dev/null | sed -n 's/^fingerprint *//p'
}

# Does the agent obey a controller?
agent_has_controller() {
  local arguments
  agent_arguments trust
  as_agent "${arguments[@]}" >/dev/null 2>&1
}

# in_background PIDFILE LOG COMMAND...: a process of its own session, without our lock.
in_background() {
  : >"$2"
  rm -f -- "$1"
  # shellcheck disable=SC2016
  as_agent setsid --fork bash -c 'umask 077; echo $$ >"$1.new"; mv "$1.new" "$1"; log=$2; shift 2
    exec "$@" </dev/null >>"$log" 2>&1' in_background "$@" 9>&- </dev/null >/dev/null 2>&1
  wait_for 5 test -s "$1" || die "could not start ${3##*/} in the background"
  as_agent chmod 644 "$1"
}

# wait_for SECONDS COMMAND...: until it succeeds; false if it does not in that time.
wait_for() {
  local tries=$(($1 * 10))
  shift
  until "$@"; do
    ((tries-- > 0)) || return 1
    sleep 0.1
  done
}

# Gone, or waiting for a parent that does not collect it, as in some containers.
is_gone() { [[ ! -d /proc/$1 ]] || grep -q '^State:[[:space:]]*Z' "/proc/$1/status" 2>/dev/null; }

# Waits until the process listens on the port; false if it ends before, or takes too long.
comes_up() {
  wait_for 15 settled "$@" && ! is_gone "$1"
}
settled() { is_gone "$1" || listens "$@"; }

start_agent() {
  if agent_is_current; then
    note "the agent runs already, as process $(cat "$home/agent.pid")"
    return
  fi
  stop_agent
  say "Starting the agent for this machine on 127.0.0.1:$port"
  local arguments pid
  agent_arguments run
  in_background "$home/agent.pid" "$logs/agent.log" "${arguments[@]}"
  pid=$(cat "$home/agent.pid")
  comes_up "$pid" "$port" || {
    show_log "$logs/agent.log"
    die "the agent did not start"
  }
}

# Ends our agent, and only ours; it lets running tasks end first.
stop_agent() {
  if ! agent_runs; then
    rm -f -- "$home/agent.pid"
    return 0
  fi
  local pid
  pid=$(cat "$home/agent.pid")
  say "Stopping the agent, process $pid"
  as_agent kill -TERM "$pid"
  wait_for 30 is_gone "$pid" ||
    die "the agent did not stop within 30 s" "its log is $logs/agent.log; its process is $pid"
  rm -f -- "$home/agent.pid"
}

# Lets the agent wait for a controller that knows the code in `$home/code`.
open_enrolment() {
  local arguments pid
  as_agent rm -f -- "$home/code.agent" "$home/code"
  agent_arguments enrol
  in_background "$home/enrol.pid" "$logs/agent-enrol.log" "${arguments[@]}" --ttl 120 \
    --code-file "$home/code.agent"
  pid=$(cat "$home/enrol.pid")
  comes_up "$pid" "$port" || {
    show_log "$logs/agent-enrol.log"
    die "the agent does not wait for its enrolment"
  }
  as_agent cat "$home/code.agent" >"$home/code"
}

# Waits until the agent's side is done, or ends it.
end_enrolment() {
  local pid
  pid=$(cat "$home/enrol.pid")
  wait_for 5 is_gone "$pid" || as_agent kill -TERM "$pid" 2>/dev/null || true
  as_agent rm -f -- "$home/code.agent" "$home/code" "$home/enrol.pid"
}
