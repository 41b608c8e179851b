#include "agent/kinds/pbs/audit_pbs.h"

#include "agent/kinds/pbs/servers.h"
#include "agent/kinds/pbs/storages.h"
#include "agent/kinds/support/fill.h"
#include "agent/kinds/support/places.h"
#include "common/base/number.h"

namespace relab::agent::pbs {

namespace {

using Schema = schema::AuditPbs;

void set_keep(Schema::Keep::Builder keep, const ConfigSection& section) {
  keep.setLast(count_of(section, "keep-last"));
  keep.setHourly(count_of(section, "keep-hourly"));
  keep.setDaily(count_of(section, "keep-daily"));
  keep.setWeekly(count_of(section, "keep-weekly"));
  keep.setMonthly(count_of(section, "keep-monthly"));
  keep.setYearly(count_of(section, "keep-yearly"));
}

void set_server(Schema::Server::Builder row, const Server& server) {
  row.setPlace(server.place->title());
  row.setVmid(server.place->vmid());
  row.setRunning(server.place->running());
  row.setInstalled(server.installed);
  row.setHostConfigPath(server.host_config);
}

void set_datastore(Schema::Datastore::Builder row, const Datastore& store) {
  const auto& config = store.config;
  row.setName(config.id);
  row.setPath(config.value("path"));
  row.setHostPath(store.host_path);
  row.setComment(config.value("comment"));
  row.setGcSchedule(config.value("gc-schedule"));
  row.setPruneSchedule(config.value("prune-schedule"));
  set_keep(row.initKeep(), config);
  row.setVerifyNew(config.truth("verify-new"));
  row.setMaintenance(config.value("maintenance-mode"));
  row.setNotificationMode(config.value("notification-mode"));
  row.setTuning(config.value("tuning"));
  row.setBackingDevice(config.value("backing-device"));
  row.setChunks(store.chunks);
  row.setLastGc(store.gc.started);
  row.setGcDiskBytes(store.gc.disk_bytes);
  row.setGcPendingBytes(store.gc.pending_bytes);
}

void set_prune_job(Schema::PruneJob::Builder row, const ConfigSection& job) {
  row.setId(job.id);
  row.setStore(job.value("store"));
  row.setNamespace(job.value("ns"));
  row.setSchedule(job.value("schedule"));
  row.setEnabled(!job.truth("disable"));
  set_keep(row.initKeep(), job);
  row.setMaxDepth(job.value("max-depth"));
  row.setComment(job.value("comment"));
}

void set_verify_job(Schema::VerifyJob::Builder row, const ConfigSection& job) {
  row.setId(job.id);
  row.setStore(job.value("store"));
  row.setNamespace(job.value("ns"));
  row.setSchedule(job.value("schedule"));
  row.setIgnoreVerified(job.truth("ignore-verified"));
  row.setOutdatedAfter(count_of(job, "outdated-after"));
  row.setComment(job.value("comment"));
}

void set_sync_job(Schema::SyncJob::Builder row, const ConfigSection& job) {
  row.setId(job.id);
  row.setStore(job.value("store"));
  row.setNamespace(job.value("ns"));
  row.setRemote(job.value("remote"));
  row.setRemoteStore(job.value("remote-store"));
  row.setRemoteNamespace(job.value("remote-ns"));
  row.setDirection(job.value("sync-direction"));
  row.setSchedule(job.value("schedule"));
  row.setRemoveVanished(job.truth("remove-vanished"));
  row.setComment(job.value("comment"));
}

void set_storage(Schema::Storage::Builder row, const Storage& storage) {
  const auto& config = storage.config;
  const auto port = parse_number<std::uint16_t>(config.value("port"));
  row.setId(config.id);
  row.setServer(config.value("server"));
  row.setPort(port ? *port : std::uint16_t{0});
  row.setDatastore(config.value("datastore"));
  row.setNamespace(config.value("namespace"));
  row.setUsername(config.value("username"));
  row.setFingerprint(config.value("fingerprint"));
  row.setEncrypted(storage.has_key);
  row.setMasterKey(storage.has_master_key);
  row.setPassword(storage.has_password);
  row.setEnabled(!config.truth("disable"));
  row.setActive(storage.active);
  row.setTotal(storage.total);
  row.setUsed(storage.used);
  row.setAvailable(storage.available);
  row.setPruneBackups(config.value("prune-backups"));
  row.setNodes(config.value("nodes"));
}

/// What all servers have of one kind, with the place of each.
template <typename Row>
std::vector<std::pair<std::uint32_t, const Row*>> rows_of(const std::vector<Server>& servers,
                                                          std::vector<Row> Server::*list) {
  std::vector<std::pair<std::uint32_t, const Row*>> rows;
  for (const auto& server : servers)
    for (const auto& row : server.*list) rows.emplace_back(server.place->vmid(), &row);
  return rows;
}

template <typename List, typename Rows, typename Set>
void fill_of(List list, const Rows& rows, const Set& set) {
  fill(list, rows, [&](auto element, const auto& row) {
    element.setVmid(row.first);
    set(element, *row.second);
  });
}

void set_lists(Schema::Facts::Builder facts, const std::vector<Server>& servers) {
  const auto stores = rows_of(servers, &Server::datastores);
  fill_of(facts.initDatastores(size_of(stores)), stores, set_datastore);
  const auto prune = rows_of(servers, &Server::prune);
  fill_of(facts.initPruneJobs(size_of(prune)), prune, set_prune_job);
  const auto verify = rows_of(servers, &Server::verify);
  fill_of(facts.initVerifyJobs(size_of(verify)), verify, set_verify_job);
  const auto sync = rows_of(servers, &Server::sync);
  fill_of(facts.initSyncJobs(size_of(sync)), sync, set_sync_job);
}

bool is_suspect(std::string_view name) {
  return name.find("pbs") != std::string_view::npos ||
         name.find("backup") != std::string_view::npos;
}

}  // namespace

Result<Message<AuditPbs::Facts>> AuditPbs::observe(Params::Reader, Host& host) {
  Gaps gaps;
  const auto places = find_places(host, is_suspect, gaps);
  std::vector<Server> servers;
  for (const auto& place : places.all) {
    auto server = read_server(*place, gaps);
    if (!server) gaps.problem(place->title(), server.error());
    if (server && *server) servers.push_back(std::move(**server));
  }
  const auto storages = read_storages(host, gaps);
  if (servers.empty() && storages.empty() && !gaps.has_problems())
    gaps.all_absent("no Proxmox Backup Server and no storage of that type was found");
  Draft<Facts> facts;
  fill(facts->initServers(size_of(servers)), servers, set_server);
  set_lists(*facts, servers);
  fill(facts->initStorages(size_of(storages)), storages, set_storage);
  gaps.store(facts->initCoverage());
  return std::move(facts).finish();
}

}  // namespace relab::agent::pbs
