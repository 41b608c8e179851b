#include "controller/rehearsal/truth.h"

#include <algorithm>
#include <fmt/format.h>
#include <set>

#include "agent/kinds/zfs/send_stream.h"
#include "common/wire/message.h"

namespace relab::rehearsal {

namespace {

using agent::sim::Machine;

/// A dataset and all below it.
std::vector<const agent::sim::Dataset*> datasets_below(const Machine& machine,
                                                       const std::string& top) {
  std::vector<const agent::sim::Dataset*> found;
  const auto* pool = machine.storage().pools().pool(top.substr(0, top.find('/')));
  if (pool == nullptr) return found;
  for (const auto& [name, dataset] : pool->datasets)
    if (agent::sim::is_within(name, top)) found.push_back(&dataset);
  return found;
}

/// Hands what is read to a walk over a stream.
class Walk final : public agent::Sink {
 public:
  Result<void> take(ByteView piece) override { return reader_.feed(std::as_bytes(piece)); }
  Result<agent::zfs::SendStream> finish() && { return std::move(reader_).finish(); }

 private:
  agent::zfs::SendStreamReader reader_{agent::zfs::Scrutiny::checksums};
};

/// Why nothing that lies in this folder can be had; empty: it can.
std::string loss_of(Machine& machine, const std::string& folder) {
  for (const auto& mount : machine.host().mounts()) {
    if (mount.point != folder) continue;
    if (!mount.source.starts_with("/dev/")) return {};
    const auto device = agent::Path(mount.source).filename().string();
    if (machine.storage().disks().is_well(device)) return {};
    return fmt::format("{} lies on {}, which cannot be read", folder, mount.source);
  }
  return fmt::format("nothing is mounted on {}", folder);
}

std::string lie_of(schema::UsbDisk::Reader task, Machine& machine) {
  const auto* disk = machine.storage().disks().by_serial(str(task.getSerial()));
  if (disk == nullptr || !disk->attached) return "the disk is not there";
  if (disk->failed) return "the disk has failed";
  return loss_of(machine, str(task.getFolder()));
}

/// Every dataset of the pool is in the stream, with the snapshot that it has.
std::string stream_lie(schema::ZfsBackup::Reader task, Machine& machine) {
  const auto file = fmt::format("{}/{}.zfs", str(task.getFolder()), str(task.getName()));
  Walk walk;
  if (const auto read = machine.host().read_through(file, {}, walk); !read)
    return read.error().what;
  const auto stream = std::move(walk).finish();
  if (!stream) return stream.error().what;
  std::set<std::uint64_t> sent;
  for (const auto& part : stream->substreams) sent.insert(part.to_guid);
  const auto below = datasets_below(machine, str(task.getDataset()));
  if (below.empty()) return "there is no such dataset";
  for (const auto* dataset : below) {
    bool found = false;
    for (const auto& snapshot : dataset->snapshots)
      found = found || (snapshot.name == view(task.getSnapshot()) && sent.contains(snapshot.guid));
    if (!found) return fmt::format("the stream lacks {}", dataset->name);
  }
  return {};
}

template <typename Task>
std::string backup_lie(Task task, Machine& machine) {
  if (auto loss = loss_of(machine, str(task.getFolder())); !loss.empty()) return loss;
  Draft<schema::ZfsBackup> of;
  of->setDataset(task.getDataset());
  of->setSnapshot(task.getSnapshot());
  of->setFolder(task.getFolder());
  of->setName(task.getName());
  return stream_lie(of->asReader(), machine);
}

std::string lie_of(schema::ZfsSnapshot::Reader task, Machine& machine) {
  for (const auto* dataset : datasets_below(machine, str(task.getDataset()))) {
    const auto found =
        std::find_if(dataset->snapshots.begin(), dataset->snapshots.end(),
                     [&](const auto& snapshot) { return snapshot.name == view(task.getName()); });
    if (found == dataset->snapshots.end()) return dataset->name + " has no such snapshot";
    if (found->holds.empty()) return dataset->name + " may lose it: nothing holds it";
  }
  return {};
}

std::string lie_of(schema::Preserve::Reader task, Machine& machine) {
  if (auto loss = loss_of(machine, str(task.getFolder())); !loss.empty()) return loss;
  const auto file = fmt::format("{}/{}.tar.zst", str(task.getFolder()), str(task.getName()));
  const auto status = machine.host().status(file);
  if (!status) return status.error().what;
  return status->size == 0 ? file + " is empty" : std::string();
}

std::string lie_of(schema::Guest::Reader task, Machine& machine) {
  const auto file = fmt::format("/etc/pve/lxc/{}.conf", task.getVmid());
  const auto text = machine.host().read_file(agent::Path(file));
  if (!text) return text.error().what;
  if (("\n" + *text).find("\nhostname: " + str(task.getName()) + "\n") == std::string::npos)
    return file + " is of another container";
  return {};
}

std::string lie_of(schema::GuestPower::Reader task, Machine& machine) {
  if (machine.proxmox().runs(task.getVmid()) == !task.getStopped()) return {};
  return task.getStopped() ? "the container runs" : "the container does not run";
}

std::string lie_of(schema::Directory::Reader task, Machine& machine) {
  const auto status = machine.host().status(str(task.getPath()));
  if (!status) return status.error().what;
  return status->type == agent::FileType::directory ? std::string()
                                                    : str(task.getPath()) + " is no directory";
}

}  // namespace

std::string lie_of(schema::Task::Reader task, Machine& machine) {
  if (task.isUsbDisk()) return lie_of(task.getUsbDisk(), machine);
  if (task.isZfsSnapshot()) return lie_of(task.getZfsSnapshot(), machine);
  if (task.isZfsBackup()) return backup_lie(task.getZfsBackup(), machine);
  if (task.isZfsBackupVerify()) return backup_lie(task.getZfsBackupVerify(), machine);
  if (task.isPreserve()) return lie_of(task.getPreserve(), machine);
  if (task.isGuest()) return lie_of(task.getGuest(), machine);
  if (task.isGuestPower()) return lie_of(task.getGuestPower(), machine);
  if (task.isDirectory()) return lie_of(task.getDirectory(), machine);
  if (task.isAgentInstall() && !machine.proxmox().runs(task.getAgentInstall().getVmid()))
    return "the container does not run";
  return {};
}

}  // namespace relab::rehearsal
