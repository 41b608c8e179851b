/// Proxmox Backup Server: the inverse of what the audit reads of it.

#include <fmt/format.h>
#include <map>

#include "agent/host/sim/proxmox/applications.h"
#include "agent/kinds/support/json.h"
#include "common/wire/message.h"

namespace relab::agent::sim {

namespace {

using Schema = schema::AuditPbs;

/// One section of a file; what is empty is left out.
class Section {
 public:
  Section(std::string_view type, std::string_view id) : text_(fmt::format("{}: {}\n", type, id)) {}
  Section& set(std::string_view key, std::string_view value) {
    if (!value.empty()) text_ += fmt::format("\t{} {}\n", key, value);
    return *this;
  }
  Section& flag(std::string_view key, bool value) { return set(key, value ? "true" : ""); }
  Section& number(std::string_view key, std::uint64_t value) {
    return set(key, value == 0 ? "" : std::to_string(value));
  }
  Section& keep(Schema::Keep::Reader keep) {
    number("keep-daily", keep.getDaily()).number("keep-hourly", keep.getHourly());
    number("keep-last", keep.getLast()).number("keep-monthly", keep.getMonthly());
    return number("keep-weekly", keep.getWeekly()).number("keep-yearly", keep.getYearly());
  }
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

/// Sections of the same file, by the place that has it.
using Files = std::map<std::uint32_t, std::string>;

void add(Files& files, std::uint32_t vmid, const Section& section) {
  auto& text = files[vmid];
  text += (text.empty() ? "" : "\n") + section.text();
}

void write(const Files& files, const char* name, Applications& all) {
  for (const auto& [vmid, text] : files)
    all.add(vmid, fmt::format("/etc/proxmox-backup/{}", name), text);
}

Section section_of(Schema::Datastore::Reader store) {
  Section section("datastore", view(store.getName()));
  section.set("backing-device", view(store.getBackingDevice()));
  section.set("comment", view(store.getComment())).set("gc-schedule", view(store.getGcSchedule()));
  section.keep(store.getKeep()).set("maintenance-mode", view(store.getMaintenance()));
  section.set("notification-mode", view(store.getNotificationMode()));
  section.set("path", view(store.getPath())).set("prune-schedule", view(store.getPruneSchedule()));
  section.set("tuning", view(store.getTuning())).flag("verify-new", store.getVerifyNew());
  return section;
}

void add_contents(Schema::Datastore::Reader store, Applications& all) {
  constexpr std::uint64_t second = 1000;
  const auto path = str(store.getPath());
  all.add_host_folder(str(store.getHostPath()));
  if (store.getChunks()) all.add_folder(store.getVmid(), path + "/.chunks");
  if (store.getLastGc() == 0 && store.getGcDiskBytes() == 0 && store.getGcPendingBytes() == 0)
    return;
  Json status = {{"disk-bytes", store.getGcDiskBytes()},
                 {"pending-bytes", store.getGcPendingBytes()}};
  if (store.getLastGc() != 0)
    status["upid"] = fmt::format(
        "UPID:pbs:000002C1:00001A2B:00000003:{:08X}:garbage_collection:"
        "{}:root@pam:",
        store.getLastGc() / second, view(store.getName()));
  all.add(store.getVmid(), path + "/.gc-status", status.dump());
}

void add_prune_jobs(Schema::Facts::Reader facts, Applications& all) {
  Files files;
  for (const auto job : facts.getPruneJobs()) {
    Section section("prune", view(job.getId()));
    section.set("comment", view(job.getComment())).flag("disable", !job.getEnabled());
    section.keep(job.getKeep()).set("max-depth", view(job.getMaxDepth()));
    section.set("ns", view(job.getNamespace())).set("schedule", view(job.getSchedule()));
    add(files, job.getVmid(), section.set("store", view(job.getStore())));
  }
  write(files, "prune.cfg", all);
}

void add_verify_jobs(Schema::Facts::Reader facts, Applications& all) {
  Files files;
  for (const auto job : facts.getVerifyJobs()) {
    Section section("verification", view(job.getId()));
    section.set("comment", view(job.getComment()));
    section.set("ignore-verified", job.getIgnoreVerified() ? "true" : "false");
    section.set("ns", view(job.getNamespace())).number("outdated-after", job.getOutdatedAfter());
    section.set("schedule", view(job.getSchedule()));
    add(files, job.getVmid(), section.set("store", view(job.getStore())));
  }
  write(files, "verification.cfg", all);
}

void add_sync_jobs(Schema::Facts::Reader facts, Applications& all) {
  Files files;
  for (const auto job : facts.getSyncJobs()) {
    Section section("sync", view(job.getId()));
    section.set("comment", view(job.getComment())).set("ns", view(job.getNamespace()));
    section.set("remote", view(job.getRemote())).set("remote-ns", view(job.getRemoteNamespace()));
    section.set("remote-store", view(job.getRemoteStore()));
    section.set("remove-vanished", job.getRemoveVanished() ? "true" : "false");
    section.set("schedule", view(job.getSchedule())).set("store", view(job.getStore()));
    add(files, job.getVmid(), section.set("sync-direction", view(job.getDirection())));
  }
  write(files, "sync.cfg", all);
}

}  // namespace

void add_pbs(Schema::Facts::Reader facts, Applications& all) {
  for (const auto server : facts.getServers()) {
    all.add_host_folder(str(server.getHostConfigPath()));
    all.add_folder(server.getVmid(), "/etc/proxmox-backup");
    if (server.getInstalled())
      all.files.push_back({.vmid = server.getVmid(),
                           .path = "/usr/sbin/proxmox-backup-manager",
                           .status = {.type = FileType::regular, .mode = 0755}});
  }
  Files files;
  for (const auto store : facts.getDatastores()) {
    add(files, store.getVmid(), section_of(store));
    add_contents(store, all);
  }
  write(files, "datastore.cfg", all);
  add_prune_jobs(facts, all);
  add_verify_jobs(facts, all);
  add_sync_jobs(facts, all);
}

}  // namespace relab::agent::sim
