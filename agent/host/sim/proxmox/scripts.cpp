#include "agent/host/sim/proxmox/scripts.h"

#include <algorithm>
#include <fmt/format.h>
#include <map>
#include <string_view>
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

using Words = std::vector<std::string>;

constexpr std::size_t archive_max = std::size_t{1} << 32U;
constexpr int apt_failed = 100;

enum class Script {
  unknown,
  look_at_files,
  look_at_agent,
  make_folder,
  install,
  remove,
  plant,
  start
};

Script script_of(std::string_view text) {
  if (text == look_script()) return Script::look_at_files;
  if (text == guests::agent_script()) return Script::look_at_agent;
  // Those of guest_packages.cpp and agent_install.cpp, by their digests: when one of them is
  // changed, what is done here is to be changed with it, and its digest after that.
  static const std::map<std::string, Script, std::less<>> known = {
      {"4428f79f1f8fda2d353346281a355f7e3be4f0cb65eaa15959226289faa9271f", Script::make_folder},
      {"009b8dda9825c9e4e49e48e31e1be02facf2d7985c8b52a9f13b446d953ca5c0", Script::install},
      {"8d7b4911c0ec5d101ca2387ad5d5f83d4176433a682eb3dd75a4860a0af73097", Script::remove},
      {"c7a4488516655d41339043dee1df97813513453e317157180bebff602414b34f", Script::plant},
      {"e3a3d75b71d05b978d59866be7ea40b25c66d15fd5627dedc7dc494356858e9e", Script::start}};
  const auto found = known.find(crypto::sha256(bytes_of(text)));
  return found == known.end() ? Script::unknown : found->second;
}

Wanted wanted_of(const Words& given) {
  Wanted wanted;
  auto* list = &wanted.contents;
  for (std::size_t i = 1; i < given.size(); ++i) {
    if (given[i] == "--literal")
      wanted.literal = true;
    else if (given[i] == "--contents")
      list = &wanted.contents;
    else if (given[i] == "--names")
      list = &wanted.names;
    else
      list->push_back(given[i]);
  }
  return wanted;
}

/// A package of apt's table.
struct Parcel {
  std::string file;
  std::string needs;
};
using Parcels = std::map<std::string, Parcel>;

Result<Parcels> parcels_in(SimHost& host, const Path& folder) {
  RELAB_TRY(const auto table, host.read_file(folder / "Packages"));
  RELAB_TRY(const auto stanzas, packages::parse_deb822(table));
  Parcels parcels;
  for (const auto& stanza : stanzas)
    parcels[std::string(stanza.get("package"))] = {
        .file = (folder / stanza.get("filename")).lexically_normal().string(),
        .needs = std::string(stanza.get("depends"))};
  return parcels;
}

/// The files of a package, and of what it needs of the parcels.
void add_files(const std::string& name, const Parcels& parcels, Words& files) {
  const auto found = parcels.find(name);
  if (found == parcels.end() || std::ranges::find(files, found->second.file) != files.end()) return;
  files.push_back(found->second.file);
  for (const auto one : split(found->second.needs, ',')) {
    const auto need = trim(one);
    add_files(std::string(need.substr(0, need.find_first_of(" (:|"))), parcels, files);
  }
}

}  // namespace

Result<Output> Scripts::run(const Command& command) {
  constexpr std::size_t before_arguments = 4;
  const auto& argv = command.argv;
  if (argv.size() < before_arguments || argv[1] != "-c") return host_.does_not_know(command);
  const Words given(argv.begin() + before_arguments, argv.end());
  switch (script_of(argv[2])) {
    case Script::look_at_files:
      return look_at_files(given);
    case Script::look_at_agent:
      return look_at_agent(given);
    case Script::make_folder:
      return make_folder();
    case Script::install:
      return install(given);
    case Script::remove:
      return remove(given);
    case Script::plant:
      return plant(given);
    case Script::start:
      return start();
    case Script::unknown:
      break;
  }
  return host_.does_not_know(command);
}

Result<Output> Scripts::look_at_files(const Words& given) {
  const auto gathered = Tree(host_, {{.path = "/", .source = "/"}}).gather(wanted_of(given));
  Output output;
  for (const auto& [path, text] : gathered.contents)
    output.out += fmt::format("file {}\n{}\n.\n", path, base64(bytes_of(text)));
  for (const auto& name : gathered.names) output.out += fmt::format("name {}\n", name);
  for (const auto& [path, why] : gathered.unreadable) output.out += fmt::format("lost {}\n", path);
  output.out += "end\n";
  return output;
}

Result<Output> Scripts::look_at_agent(const Words& given) {
  constexpr std::string_view codename = "VERSION_CODENAME=";
  std::string suite;
  const auto release = host_.read_file("/etc/os-release").value_or("");
  for (const auto line : lines(release))
    if (line.starts_with(codename)) suite = line.substr(codename.size());
  Output output{.out = fmt::format("suite {}\n", suite)};
  RELAB_TRY(const auto packages,
            host_.run({.argv = {"dpkg-query", "-W", "-f",
                                "package ${db:Status-Abbrev} ${Package} ${Version}\\n",
                                "relab-agent", "relab-agent-*"}}));
  output.out += packages.out;
  if (host_.status("/usr/bin/relab-agent")) {
    RELAB_TRY(const auto identity,
              host_.run({.argv = {"relab-agent", "identity", "--signed", "--name", given.at(0)}}));
    const auto said = identity.out + identity.err;
    output.out += fmt::format("{} {}\n", identity.status == 0 ? "identity" : "unreadable",
                              said.substr(0, said.find('\n')));
    RELAB_TRY(const auto trust, host_.run({.argv = {"relab-agent", "trust"}}));
    for (const auto line : lines(trust.out)) output.out += fmt::format("trust {}\n", line);
  }
  RELAB_TRY(const auto active, host_.run({.argv = {"systemctl", "is-active", "relab-agent"}}));
  RELAB_TRY(const auto enabled, host_.run({.argv = {"systemctl", "is-enabled", "relab-agent"}}));
  output.out += fmt::format("enabled {}\nactive {}\nend\n", trim(enabled.out), trim(active.out));
  return output;
}

Output Scripts::make_folder() {
  const auto folder = fmt::format("/var/cache/relab-parcels.{:06d}", ++folders_);
  host_.directory(folder + "/lists");
  return {.out = folder + "\n"};
}

Result<Output> Scripts::install(const Words& given) {
  auto output = unpack(given);
  // As its trap does, whatever came of it.
  RELAB_TRY(const auto gone, host_.run({.argv = {"rm", "-rf", "--", given.at(0)}}));
  static_cast<void>(gone);
  return output;
}

Result<Output> Scripts::unpack(const Words& given) {
  const Path folder = given.at(0);
  const auto tar = (folder / "parcels.tar").string();
  const auto archive = host_.read_file(tar, archive_max);
  if (!archive || crypto::sha256(bytes_of(*archive)) != given.at(1))
    return Output{.status = 1, .err = "the packages did not come whole: is the disk full?\n"};
  RELAB_TRY(
      auto output,
      host_.run({.argv = {"tar", "--extract", "--file", tar, "--directory", folder.string()}}));
  if (output.status != 0) return output;
  RELAB_TRY(const auto parcels, parcels_in(host_, folder));
  RELAB_TRY(
      output,
      host_.run({.argv = {"dpkg", "--force-confdef", "--force-confold", "--configure", "-a"}}));
  if (output.status != 0) return output;
  // Of the source that the script makes apt read, only what is wanted and what that needs.
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
  for (auto item = given.begin() + 2; item != given.end(); ++item) {
    const auto name = item->substr(0, item->find('='));
    if (!parcels.contains(name))
      return Output{.status = apt_failed,
                    .err = fmt::format("E: Unable to locate package {}\n", name)};
    add_files(name, parcels, files);
  }
  for (const auto* recommended : {"bind9-dnsutils", "curl", "gpg"})
    add_files(recommended, parcels, files);
  argv.insert(argv.end(), files.begin(), files.end());
  RELAB_TRY(output, host_.run({.argv = argv}));
  output.err = std::exchange(output.out, {}) + output.err;
  return output;
}

Result<Output> Scripts::remove(const Words& given) {
  Words argv = {"dpkg", "--force-confdef", "--force-confold", "--remove", "--"};
  argv.insert(argv.end(), given.begin(), given.end());
  return host_.run({.argv = std::move(argv)});
}

Result<Output> Scripts::plant(const Words& given) {
  auto output = host_.run({.argv = {"relab-agent", "plant", "--name", given.at(0), "--lab",
                                    given.at(1), "--controller", given.at(2)}});
  if (!output && output.error().fault == Fault::missing)
    return Output{.status = 127, .err = "sh: 3: relab-agent: not found\n"};
  if (output) output->out.clear();
  return output;
}

Result<Output> Scripts::start() {
  Output output;
  for (const Words& argv : {Words{"systemctl", "enable", "--quiet", "relab-agent"},
                            Words{"systemctl", "reset-failed", "relab-agent"},
                            Words{"systemctl", "restart", "relab-agent"}}) {
    RELAB_TRY(output, host_.run({.argv = argv}));
    if (output.status != 0 && argv[1] != "reset-failed") return output;
  }
  return output;
}

}  // namespace relab::agent::sim
