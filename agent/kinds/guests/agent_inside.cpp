#include "agent/kinds/guests/agent_inside.h"

#include <fmt/format.h>

#include "agent/kinds/support/apt_words.h"
#include "agent/kinds/support/gaps.h"
#include "agent/kinds/support/look_inside.h"
#include "common/base/text.h"
#include "common/wire/dsse.h"

namespace relab::agent::guests {

namespace {

using std::chrono::seconds;

constexpr auto look_time_max = seconds(120);

/// One call, since each takes a second. A container without an agent has no such programs.
constexpr std::string_view look = R"sh(
if [ -r /etc/os-release ]; then . /etc/os-release; fi
echo "suite ${VERSION_CODENAME:-}"
dpkg-query -W -f 'package ${db:Status-Abbrev} ${Package} ${Version}\n' relab-agent 'relab-agent-*' 2>/dev/null
if [ -x /usr/bin/relab-agent ]; then
  if text=$(relab-agent identity --signed --name "$1" 2>&1); then
    echo "identity $text"
  else
    echo "unreadable $(echo "$text" | head -n 1)"
  fi
  relab-agent trust 2>/dev/null | sed 's/^/trust /'
fi
tries=0
while :; do
  state=$(systemctl is-active relab-agent 2>/dev/null)
  case $state in activating | reloading | deactivating) ;; *) break ;; esac
  tries=$((tries + 1))
  if [ $tries -gt 20 ]; then break; fi
  sleep 1
done
echo "enabled $(systemctl is-enabled relab-agent 2>/dev/null)"
echo "active $state"
echo end
)sh";

/// What follows the first word, which the line has.
std::string_view after(std::string_view line, std::string_view word) {
  return trim(trim(line).substr(word.size()));
}

void take_trust(std::string_view line, AgentInside& found) {
  constexpr std::string_view lab = "lab ";
  if (line.starts_with(lab)) {
    found.lab = after(line, lab);
    return;
  }
  // "3f2a 9c01 ...  NAME"
  if (const auto gap = line.find("  "); gap != std::string_view::npos)
    found.controllers.emplace_back(line.substr(0, gap));
}

/// The agent or a role, and not what other packages provide, a name that dpkg only has heard of, or
/// what helps to debug.
bool is_ours(std::string_view package) {
  return package != "relab-agent-role" && !package.ends_with("-dbgsym");
}

Result<void> take_line(std::string_view line, AgentInside& found) {
  const auto parts = words(line);
  if (parts.empty()) return {};
  if (parts[0] == "suite") {
    found.suite = after(line, "suite");
  } else if (parts[0] == "package" && parts.size() == 4) {
    if (is_ours(parts[2]))
      found.packages.push_back({.name = std::string(parts[2]),
                                .version = std::string(parts[3]),
                                .status = std::string(parts[1])});
  } else if (parts[0] == "package" && parts.size() == 3) {
    // Known, and not there: "un relab-agent" has no version.
  } else if (parts[0] == "identity") {
    RELAB_TRY(found.identity, from_base64(after(line, "identity")));
  } else if (parts[0] == "unreadable") {
    // "relab-agent: this agent has no keys yet"
    if (line.find("has no keys yet") == std::string_view::npos)
      found.unreadable = std::string(after(line, "unreadable"));
  } else if (parts[0] == "trust") {
    take_trust(after(line, "trust"), found);
  } else if (parts[0] == "enabled") {
    found.enabled = after(line, "enabled") == "enabled";
  } else if (parts[0] == "active") {
    found.active = after(line, "active") == "active";
  } else {
    return fail(Fault::damaged, fmt::format("a line that means nothing: '{}'", line));
  }
  return {};
}

}  // namespace

std::string package_of(std::string_view role) { return fmt::format("relab-agent-{}", role); }

std::string_view agent_script() { return look; }

Result<AgentInside> parse_agent(std::string_view text) {
  AgentInside found;
  bool ended = false;
  for (const auto line : lines(text)) {
    if (ended) return fail(Fault::damaged, "there is more behind the end of the answer");
    ended = line == "end";
    if (!ended) RELAB_CHECK(take_line(line, found));
  }
  if (!ended) return fail(Fault::damaged, "the answer is cut off");
  return found;
}

Result<std::string> run_inside(Host& host, std::uint32_t vmid, std::string_view script,
                               const std::vector<std::string>& arguments, seconds timeout) {
  auto argv = inside(vmid);
  argv.insert(argv.end(), {"sh", "-c", std::string(script), "relab"});
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  const auto output = host.run({.argv = std::move(argv), .timeout = timeout});
  if (!output) {
    // The command is a whole script: it tells nobody anything.
    if (output.error().what.find(script) == std::string::npos) return fail(output.error());
    return fail(
        output.error().fault,
        fmt::format("what was begun in container {} did not end within {}", vmid, human(timeout)),
        output.error().hint);
  }
  if (output->truncated)
    return fail(Fault::damaged, fmt::format("container {} says more than can be read", vmid));
  if (output->status == 0) return output->out;
  const auto& said = output->err.empty() ? output->out : output->err;
  const auto conflict = conflict_of(said);
  return fail(Fault::damaged,
              fmt::format("a command in container {} ended with {}: {}{}", vmid, output->status,
                          conflict, complaint_of(said)),
              conflict.empty() ? ""
                               : "put what lacks into the folder of the container's release among "
                                 "the packages (packages/bookworm), and run the step again");
}

Result<AgentInside> look_at_agent(Host& host, std::uint32_t vmid, const std::string& name) {
  RELAB_TRY(const auto text, run_inside(host, vmid, look, {name}, look_time_max));
  RELAB_TRY(auto found,
            parse_agent(text).during(fmt::format("looking for an agent in container {}", vmid)));
  if (found.unreadable.empty()) return found;
  return fail(Fault::damaged, fmt::format("the agent in container {} cannot tell who it is: {}",
                                          vmid, found.unreadable));
}

}  // namespace relab::agent::guests
