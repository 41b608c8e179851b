#include "agent/kinds/pbs/servers.h"

#include <fmt/format.h>

namespace relab::agent::pbs {

namespace {

constexpr auto folder = "/etc/proxmox-backup";
constexpr auto manager = "/usr/sbin/proxmox-backup-manager";

std::string file_of(const ConfigList& list) { return fmt::format("{}/{}", folder, list.file); }

Result<std::vector<ConfigSection>> ask_manager(Place& place, const ConfigList& list) {
  const std::string command(list.command);
  RELAB_TRY(const auto output, place.run({manager, command, "list", "--output-format", "json"}));
  if (output.status != 0 || output.truncated)
    return fail(Fault::damaged, fmt::format("'proxmox-backup-manager {} list' ended with {}: {}",
                                            command, output.status, first_words(output)));
  return parse_config_json(output.out, list);
}

/// A file is made with its first entry. That there is none is believed if the tool agrees, or
/// where nothing runs.
Result<std::vector<ConfigSection>> read_list(Place& place, const ConfigList& list,
                                             const Gathered& gathered, bool installed) {
  const auto file = file_of(list);
  if (const auto found = gathered.contents.find(file); found != gathered.contents.end())
    return parse_config_file(found->second, list);
  if (const auto lost = gathered.unreadable.find(file); lost != gathered.unreadable.end())
    return fail(Fault::damaged, fmt::format("{}: {}", file, lost->second));
  if (!installed || !place.running()) return std::vector<ConfigSection>();
  return ask_manager(place, list);
}

std::vector<ConfigSection> sections_or_gap(Place& place, const ConfigList& list,
                                           const Gathered& gathered, bool installed, Gaps& gaps) {
  auto sections = read_list(place, list, gathered, installed);
  if (sections) return std::move(*sections);
  gaps.problem(fmt::format("{} list of {}", list.command, place.title()), sections.error());
  return {};
}

Wanted wanted_of(const std::vector<ConfigSection>& stores) {
  Wanted wanted{.contents = {}, .names = {}, .literal = true};
  for (const auto& store : stores) {
    wanted.contents.push_back(store.value("path") + "/.gc-status");
    wanted.names.push_back(store.value("path") + "/.chunks");
  }
  return wanted;
}

/// A datastore that is known to be away is no problem.
bool may_be_away(const ConfigSection& store) {
  return !store.value("maintenance-mode").empty() || !store.value("backing-device").empty() ||
         !store.value("backend").empty();
}

Datastore datastore_of(Place& place, const ConfigSection& config, const Gathered& gathered,
                       Gaps& gaps) {
  Datastore store{.config = config};
  const auto path = config.value("path");
  const auto part = fmt::format("datastore {} of {}", config.id, place.title());
  const auto here = place.on_host(path);
  if (here) store.host_path = here->string();
  if (!here && here.error().fault != Fault::missing && here.error().fault != Fault::unsupported)
    gaps.problem("directory of " + part, here.error());
  store.chunks = gathered.names.contains(path + "/.chunks");
  const auto why = fmt::format("there is no chunk store at {}", path);
  if (!store.chunks && may_be_away(config)) gaps.absent(part, why);
  if (!store.chunks && !may_be_away(config)) gaps.problem(part, why + ": is it mounted?");
  const auto status = gathered.contents.find(path + "/.gc-status");
  if (status == gathered.contents.end()) return store;
  const auto gc = parse_gc_status(status->second);
  if (gc) store.gc = *gc;
  if (!gc) gaps.problem("garbage collection of " + part, gc.error());
  return store;
}

void read_datastores(Server& server, const std::vector<ConfigSection>& configs, Gaps& gaps) {
  if (configs.empty()) return;
  auto gathered = server.place->gather(wanted_of(configs));
  if (!gathered) {
    gaps.problem("datastores of " + server.place->title(), gathered.error());
    gathered = Gathered();
  }
  for (const auto& [path, why] : gathered->unreadable)
    gaps.problem(fmt::format("{} of {}", path, server.place->title()), why);
  for (const auto& config : configs)
    server.datastores.push_back(datastore_of(*server.place, config, *gathered, gaps));
}

}  // namespace

Result<std::optional<Server>> read_server(Place& place, Gaps& gaps) {
  Wanted wanted{.contents = {}, .names = {folder, manager}};
  for (const auto& list : {datastores, prune_jobs, verify_jobs, sync_jobs})
    wanted.contents.push_back(file_of(list));
  RELAB_TRY(const auto gathered, place.gather(wanted));
  Server server{.place = &place, .installed = gathered.names.contains(manager)};
  if (const auto here = place.on_host(folder)) server.host_config = here->string();
  // An empty folder remains when the package is removed.
  if (!server.installed && gathered.contents.empty() && gathered.unreadable.empty())
    return std::optional<Server>();
  for (const auto& path : {std::string(folder), std::string(manager)})
    if (const auto lost = gathered.unreadable.find(path); lost != gathered.unreadable.end())
      gaps.problem(fmt::format("{} of {}", path, place.title()), lost->second);
  const auto read = [&](const ConfigList& list) {
    return sections_or_gap(place, list, gathered, server.installed, gaps);
  };
  read_datastores(server, read(datastores), gaps);
  server.prune = read(prune_jobs);
  server.verify = read(verify_jobs);
  server.sync = read(sync_jobs);
  return std::optional(std::move(server));
}

}  // namespace relab::agent::pbs
