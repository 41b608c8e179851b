#include "agent/host/sim/debian/shell.h"

#include <algorithm>
#include <fmt/format.h>
#include <map>
#include <utility>

#include "agent/kinds/guests/agent_inside.h"
#include "agent/kinds/packages/deb822.h"
#include "agent/kinds/support/look_inside.h"
#include "agent/kinds/support/tree.h"
#include "common/base/text.h"
#include "common/crypto/sha256.h"
#include "common/wire/dsse.h"

namespace relab::agent::sim {

namespace {

constexpr std::size_t size_max = std::size_t{1} << 32U;

bool has(std::string_view script, std::string_view words) {
  return script.find(words) != std::string_view::npos;
}

/// What look_script is asked for.
Wanted wanted_of(const std::vector<std::string>& arguments) {
  Wanted wanted;
  auto* list = &wanted.contents;
  for (std::size_t i = 1; i < arguments.size(); ++i) {
    if (arguments[i] == "--literal")
      wanted.literal = true;
    else if (arguments[i] == "--contents")
      list = &wanted.contents;
    else if (arguments[i] == "--names")
      list = &wanted.names;
    else
      list->push_back(arguments[i]);
  }
  return wanted;
}

/// Packages of apt's table, each with its file and the names of what it depends on.
struct Parcel {
  std::string file;
  std::string needs;
};

Result<std::map<std::string, Parcel>> parcels_in(SimHost& host, const Path& folder) {
  RELAB_TRY(const auto table, host.read_file(folder / "Packages"));
  RELAB_TRY(const auto stanzas, packages::parse_deb822(table));
  std::map<std::string, Parcel> parcels;
  for (const auto& stanza : stanzas) {
    const auto file = (folder / stanza.get("filename")).lexically_normal().string();
    parcels[std::string(stanza.get("package"))] = {.file = file,
                                                   .needs = std::string(stanza.get("depends"))};
  }
  return parcels;
}

/// The files of a package and of all that it needs and the parcels have.
void add_files(const std::string& name, const std::map<std::string, Parcel>& parcels,
               std::vector<std::string>& files) {
  const auto found = parcels.find(name);
  if (found == parcels.end() || std::ranges::find(files, found->second.file) != files.end()) return;
  files.push_back(found->second.file);
  for (const auto one : split(found->second.needs, ',')) {
    const auto need = trim(one);
    add_files(std::string(need.substr(0, need.find_first_of(" (:|"))), parcels, files);
  }
}

}  // namespace

Shell::Shell(SimHost& host) : host_(host) {
  host_.program("env", [this](const Command& command) { return env(command); });
  host_.program("sh", [this](const Command& command) { return run_script(command); });
}

Result<Output> Shell::env(const Command& command) {
  const auto program =
      std::find_if(command.argv.begin() + 1, command.argv.end(),
                   [](const std::string& word) { return word.find('=') == std::string::npos; });
  if (program == command.argv.end() || program->starts_with('-'))
    return host_.does_not_know(command);
  auto inner = command;
  inner.argv.assign(program, command.argv.end());
  // Its value is the input already.
  inner.secret_input.clear();
  auto output = host_.run(inner);
  if (output || output.error().fault != Fault::missing) return output;
  return Output{.status = 127,
                .err = fmt::format("env: ‘{}’: No such file or directory\n", *program)};
}

Result<Output> Shell::run_script(const Command& command) {
  const auto& argv = command.argv;
  constexpr std::size_t own = 4;
  if (argv.size() < 3 || argv[1] != "-c") return host_.does_not_know(command);
  const auto& script = argv[2];
  const auto arguments = argv.size() < own ? Words() : Words(argv.begin() + own, argv.end());
  if (script == look_script()) return look(arguments);
  if (script == guests::agent_script()) return look_at_agent(arguments);
  if (has(script, "relab-agent plant") && arguments.size() == 3)
    return one_by_one({{"relab-agent", "plant", "--name", arguments[0], "--lab", arguments[1],
                        "--controller", arguments[2]}});
  if (has(script, "systemctl restart relab-agent"))
    return one_by_one({{"systemctl", "enable", "--quiet", "relab-agent"},
                       {"systemctl", "restart", "relab-agent"}});
  if (has(script, "mktemp -d /var/cache/relab-parcels")) return make_folder();
  if (has(script, "own install --yes") && arguments.size() > 2) return install(arguments);
  // The first line is enough to find it by.
  return host_.does_not_know({.argv = {"sh", "-c", script.substr(0, script.find('\n', 1))}});
}

Result<Output> Shell::one_by_one(const std::vector<Words>& commands) {
  Output output;
  for (const auto& argv : commands) {
    RELAB_TRY(output, host_.run({.argv = argv}));
    output.out.clear();
    if (output.status != 0) return output;
  }
  return output;
}

Result<Output> Shell::look(const Words& arguments) {
  const auto gathered = Tree(host_, {{.path = "/", .source = "/"}}).gather(wanted_of(arguments));
  Output output;
  for (const auto& [path, text] : gathered.contents)
    output.out += fmt::format("file {}\n{}\n.\n", path, base64(bytes_of(text)));
  for (const auto& name : gathered.names) output.out += fmt::format("name {}\n", name);
  for (const auto& [path, unused] : gathered.unreadable)
    output.out += fmt::format("lost {}\n", path);
  output.out += "end\n";
  return output;
}

Result<Output> Shell::look_at_agent(const Words& arguments) {
  Output output;
  std::string suite;
  for (const auto line : lines(host_.read_file("/etc/os-release").value_or("")))
    if (constexpr std::string_view key = "VERSION_CODENAME="; line.starts_with(key))
      suite = line.substr(key.size());
  output.out = fmt::format("suite {}\n", suite);
  RELAB_TRY(const auto packages,
            host_.run({.argv = {"dpkg-query", "-W", "-f",
                                "package ${db:Status-Abbrev} ${Package} ${Version}\\n",
                                "relab-agent", "relab-agent-*"}}));
  output.out += packages.out;
  if (host_.status("/usr/bin/relab-agent")) {
    RELAB_TRY(const auto identity,
              host_.run({.argv = {"relab-agent", "identity", "--signed", "--name",
                                  arguments.empty() ? "" : arguments[0]}}));
    const auto said = identity.out + identity.err;
    output.out += identity.status == 0
                      ? fmt::format("identity {}\n", trim(said))
                      : fmt::format("unreadable {}\n", said.substr(0, said.find('\n')));
    RELAB_TRY(const auto trust, host_.run({.argv = {"relab-agent", "trust"}}));
    for (const auto line : lines(trust.out)) output.out += fmt::format("trust {}\n", line);
  }
  RELAB_TRY(const auto enabled, host_.run({.argv = {"systemctl", "is-enabled", "relab-agent"}}));
  RELAB_TRY(const auto active, host_.run({.argv = {"systemctl", "is-active", "relab-agent"}}));
  output.out += fmt::format("enabled {}\nactive {}\nend\n", trim(enabled.out), trim(active.out));
  return output;
}

Result<Output> Shell::make_folder() {
  const auto folder = fmt::format("/var/cache/relab-parcels.{:06d}", ++folders_);
  constexpr std::uint32_t own = 0700;
  host_.directory(folder, {.mode = own, .modified = host_.now()});
  host_.directory(Path(folder) / "lists");
  return Output{.out = folder + "\n"};
}

Result<Output> Shell::install(const Words& arguments) {
  const Path folder = arguments[0];
  const auto tar = host_.read_file(folder / "parcels.tar", size_max);
  if (!tar || crypto::sha256(bytes_of(*tar)) != arguments[1])
    return Output{.status = 1, .err = "the packages did not come whole: is the disk full?\n"};
  RELAB_TRY(auto output,
            host_.run({.argv = {"tar", "--extract", "--file", (folder / "parcels.tar").string(),
                                "--directory", folder.string()}}));
  if (output.status != 0) return output;
  RELAB_TRY(const auto parcels, parcels_in(host_, folder));
  RELAB_TRY(
      output,
      host_.run({.argv = {"dpkg", "--force-confdef", "--force-confold", "--configure", "-a"}}));
  if (output.status != 0) return output;
  Words argv = {"apt-get",
                "-q",
                "-y",
                "-o",
                "Dir::Etc::sourcelist=/dev/null",
                "-o",
                "Dir::Etc::sourceparts=/dev/null",
                "-o",
                "DPkg::Lock::Timeout=300",
                "install",
                "--no-install-recommends",
                "--no-remove",
                "--"};
  Words files;
  for (auto at = arguments.begin() + 2; at != arguments.end(); ++at) {
    const auto name = at->substr(0, at->find('='));
    if (!parcels.contains(name))
      return Output{.status = 100, .err = fmt::format("E: Unable to locate package {}\n", name)};
    add_files(name, parcels, files);
  }
  argv.insert(argv.end(), files.begin(), files.end());
  RELAB_TRY(output, host_.run({.argv = argv}));
  output.err = std::exchange(output.out, {}) + output.err;
  RELAB_TRY(const auto gone, host_.run({.argv = {"rm", "-rf", "--", folder.string()}}));
  static_cast<void>(gone);
  return output;
}

}  // namespace relab::agent::sim
