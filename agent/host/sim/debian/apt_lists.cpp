// The lists of apt: how they are read, and what is told of them.

#include <algorithm>
#include <fmt/format.h>
#include <set>

#include "agent/host/sim/debian/packages.h"
#include "common/base/text.h"

namespace relab::agent::sim {

namespace {

constexpr int apt_failed = 100;
constexpr std::uint64_t list_size = std::uint64_t{9} << 20U;
constexpr std::uint64_t line_speed = std::uint64_t{12} << 20U;
/// What an unanswered connection costs before it is given up.
constexpr auto connect_time = std::chrono::seconds(30);

}  // namespace

std::string Packages::trouble_with(const AptSource& source, bool& fatal) {
  auto& host = system_.host;
  const auto release = fmt::format("{} {} InRelease", source.uri, source.suite);
  const auto why = way_ ? way_(source.server()) : std::string();
  if (!why.empty()) {
    host.spend(connect_time);
    return fmt::format("W: Failed to fetch {}/dists/{}/InRelease  {}\n", source.uri, source.suite,
                       why);
  }
  fatal = true;
  const auto unsigned_words =
      fmt::format("E: The repository '{} {}' is not signed.\n", source.uri, source.suite);
  const bool paid =
      host.status("/etc/subscription") || host.status("/etc/proxmox-backup/subscription");
  if (source.server() == "enterprise.proxmox.com" && !paid)
    return fmt::format("E: Failed to fetch {}/dists/{}/InRelease  401  Unauthorized\n{}",
                       source.uri, source.suite, unsigned_words);
  const bool is_path = source.signed_by.starts_with('/');
  if (is_path && !source.trusted && !host.status(source.signed_by))
    return fmt::format(
        "W: GPG error: {}: The following signatures couldn't be verified because the public key is "
        "not available: NO_PUBKEY\n{}",
        release, unsigned_words);
  fatal = false;
  return {};
}

Output Packages::update(const AptCall& call) {
  auto& host = system_.host;
  if (const auto words = locked(call.patience); !words.empty())
    return {.status = apt_failed,
            .err =
                "E: Could not get lock /var/lib/apt/lists/lock. It is held by process 4711 "
                "(apt-get)\nE: Unable to lock directory /var/lib/apt/lists/\n"};
  const auto sources = read_sources(host, call.places);
  if (!sources) return {.status = apt_failed, .err = sources.error().what};
  Output output;
  std::set<std::string> kept;
  std::set<std::string> seen;
  std::set<std::string> lost;
  for (const auto& source : *sources) {
    const auto title = source.uri + " " + source.suite;
    if (seen.insert(title).second) {
      bool fatal = false;
      const auto trouble = trouble_with(source, fatal);
      output.out +=
          fmt::format("{}:{} {} InRelease\n", trouble.empty() ? "Get" : "Err", seen.size(), title);
      output.err += trouble;
      if (fatal) output.status = apt_failed;
      if (!trouble.empty()) lost.insert(title);
    }
    kept.insert(source.release_file());
    kept.insert(source.packages_file(system_.architecture));
    if (lost.contains(title)) continue;
    host.spend(list_size, line_speed);
    for (const auto& name : {source.release_file(), source.packages_file(system_.architecture)})
      host.file(Path(apt_lists) / name, "", {.mode = 0644, .modified = host.now()});
  }
  if (call.cleans_lists)
    for (const auto& name : host.list(apt_lists).value_or(Words()))
      if (!kept.contains(name)) host.remove(Path(apt_lists) / name);
  host.directory(apt_lists, {.mode = 0755, .modified = host.now()});
  if (output.status == 0) output.out += "Reading package lists...\n";
  if (output.status == 0 && !lost.empty())
    output.err +=
        "W: Some index files failed to download. They have been ignored, or old ones used "
        "instead.\n";
  return output;
}

Output Packages::indextargets(const AptCall& call) {
  const auto sources = read_sources(system_.host, call.places);
  if (!sources) return {.status = apt_failed, .err = sources.error().what};
  Output output;
  for (const auto& source : *sources)
    if (system_.host.status(Path(apt_lists) / source.packages_file(system_.architecture)))
      output.out += "Packages\n";
  return output;
}

void Packages::have_lists(std::size_t indexes_max) {
  auto& host = system_.host;
  const auto sources = read_sources(host, {});
  if (!sources) return;
  std::set<std::string> releases;
  for (const auto& source : *sources) {
    if (!releases.contains(source.release_file()) && releases.size() == indexes_max) continue;
    releases.insert(source.release_file());
    for (const auto& name : {source.release_file(), source.packages_file(system_.architecture)})
      host.file(Path(apt_lists) / name, "");
  }
  // Of sources that are there no more.
  for (auto count = releases.size(); count < indexes_max; ++count)
    host.file(Path(apt_lists) / fmt::format("former{}_dists_{}_InRelease", count, system_.suite),
              "");
}

Result<Output> Packages::apt_cache(const Command& command) {
  const auto& argv = command.argv;
  if (argv.size() < 3 || argv[1] != "policy") return system_.host.does_not_know(command);
  Output output;
  for (std::size_t i = 2; i < argv.size(); ++i) {
    if (argv[i] == "--") continue;
    const auto* installed = find(argv[i]);
    const auto chosen = candidate(argv[i], {});
    if (installed == nullptr && !chosen) continue;
    output.out += fmt::format("{}:\n  Installed: {}\n  Candidate: {}\n", argv[i],
                              is_installed(argv[i]) ? installed->version : "(none)",
                              chosen                 ? chosen->package.version
                              : installed != nullptr ? installed->version
                                                     : "(none)");
  }
  return output;
}

Result<Output> Packages::apt_mark(const Command& command) {
  const auto& argv = command.argv;
  const auto verb = argv.size() > 1 ? argv[1] : std::string();
  Output output;
  if (verb == "showhold" && argv.size() == 2) {
    for (const auto& [name, package] : packages_)
      if (package.status.starts_with("hold")) output.out += name + "\n";
    return output;
  }
  if (verb != "hold" && verb != "unhold") return system_.host.does_not_know(command);
  for (std::size_t i = 2; i < argv.size(); ++i) {
    const auto found = packages_.find(argv[i]);
    if (found == packages_.end())
      return Output{
          .status = apt_failed,
          .err = fmt::format("E: Unable to locate package {}\nE: No packages found\n", argv[i])};
    const auto parts = words(found->second.status);
    found->second.status =
        fmt::format("{} {} {}", verb == "hold" ? "hold" : "install", parts.at(1), parts.at(2));
    output.out += verb == "hold" ? fmt::format("{} set on hold.\n", argv[i])
                                 : fmt::format("Canceled hold on {}.\n", argv[i]);
  }
  write_status();
  return output;
}

}  // namespace relab::agent::sim
