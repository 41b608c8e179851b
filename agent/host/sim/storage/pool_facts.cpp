/// Pools as an audit found them. What it does not tell is made up here, always in the same way: the
/// GUIDs of snapshots, and the names and times of those between the oldest and the newest.

#include <algorithm>
#include <compare>
#include <fmt/format.h>
#include <set>
#include <string_view>

#include "agent/host/sim/storage/pool_state.h"
#include "common/wire/message.h"

namespace relab::agent::sim {

namespace {

using Facts = schema::AuditZfs::Facts::Reader;
using PoolRow = schema::AuditZfs::Pool::Reader;
using DatasetRow = schema::AuditZfs::Dataset::Reader;
using VdevRow = schema::AuditZfs::Vdev::Reader;

std::string or_none(capnp::Text::Reader text) { return text.size() == 0 ? "-" : str(text); }

std::string number(std::uint64_t value) { return std::to_string(value); }

std::string number_or_none(std::uint64_t value) { return value == 0 ? "-" : number(value); }

/// Without what the audit added about the device behind it.
std::string own_note(VdevRow row) {
  static constexpr std::string_view added[] = {
      "there is no such device now", "the disk tells no serial", "lsblk does not know this device"};
  auto note = str(row.getNote());
  for (const auto words : added) {
    if (!note.ends_with(words)) continue;
    note.resize(note.size() - words.size());
    if (note.ends_with("; ")) note.resize(note.size() - 2);
  }
  return note;
}

zfs::Vdev vdev_from(VdevRow row, std::size_t first) {
  zfs::Vdev vdev{.depth = row.getDepth(),
                 .name = str(row.getName()),
                 .kind = str(row.getKind()),
                 .role = str(row.getRole()),
                 .state = str(row.getState()),
                 .read_errors = row.getReadErrors(),
                 .write_errors = row.getWriteErrors(),
                 .checksum_errors = row.getChecksumErrors(),
                 .guid = row.getGuid(),
                 .path = str(row.getPath()),
                 .note = own_note(row)};
  if (row.getParent() >= 0) vdev.parent = static_cast<std::size_t>(row.getParent()) - first;
  return vdev;
}

void add_vdevs(capnp::List<schema::AuditZfs::Vdev>::Reader rows, Pool& pool) {
  std::optional<std::size_t> first;
  for (unsigned i = 0; i < rows.size(); ++i) {
    if (view(rows[i].getPool()) != pool.name) continue;
    if (!first) first = i;
    if (rows[i].getDevice().size() != 0)
      pool.leaves.push_back({.vdev = pool.vdevs.size(), .device = str(rows[i].getDevice())});
    pool.vdevs.push_back(vdev_from(rows[i], *first));
  }
}

zfs::Scan scan_from(schema::AuditZfs::Scan::Reader row) {
  return {.function = str(row.getFunction()),
          .state = str(row.getState()),
          .started = {.unix_millis = row.getStartedAt()},
          .ended = {.unix_millis = row.getEndedAt()},
          .errors = row.getErrors(),
          .words = str(row.getWords())};
}

/// In the order of `zpool get all`; sizes are told as they are then.
std::vector<std::pair<std::string, std::string>> properties_from(PoolRow row) {
  return {{"altroot", or_none(row.getAltroot())},
          {"guid", number(row.getGuid())},
          {"version", "-"},
          {"bootfs", or_none(row.getBootfs())},
          {"delegation", "on"},
          {"autoreplace", or_none(row.getAutoreplace())},
          {"cachefile", or_none(row.getCachefile())},
          {"failmode", or_none(row.getFailmode())},
          {"listsnapshots", "off"},
          {"autoexpand", or_none(row.getAutoexpand())},
          {"dedupratio", or_none(row.getDedupRatio())},
          {"readonly", row.getReadonly() ? "on" : "off"},
          {"ashift", number(row.getAshift())},
          {"comment", or_none(row.getComment())},
          {"expandsize", "-"},
          {"freeing", "0"},
          {"fragmentation", number(row.getFragmentation())},
          {"leaked", number(row.getLeaked())},
          {"multihost", or_none(row.getMultihost())},
          {"checkpoint", number_or_none(row.getCheckpoint())},
          {"autotrim", or_none(row.getAutotrim())},
          {"compatibility", or_none(row.getCompatibility())}};
}

void add_features(Facts facts, Pool& pool) {
  for (const auto set : facts.getFeatures()) {
    if (view(set.getPool()) != pool.name) continue;
    const auto state = str(set.getState());
    for (const auto name : set.getNames())
      pool.properties.emplace_back(
          fmt::format("{}@{}", state == "unsupported" ? "unsupported" : "feature", str(name)),
          state == "unsupported" ? "inactive" : state);
  }
}

std::map<std::string, std::string, std::less<>> properties_from(DatasetRow row) {
  const bool is_volume = view(row.getKind()) == "volume";
  const auto of_filesystem = [&](std::uint64_t value) { return is_volume ? "-" : number(value); };
  return {{"mountpoint", or_none(row.getMountpoint())},
          {"canmount", or_none(row.getCanmount())},
          {"readonly", row.getReadonly() ? "on" : "off"},
          {"encryption", or_none(row.getEncryption())},
          {"keyformat", or_none(row.getKeyFormat())},
          {"keylocation", or_none(row.getKeyLocation())},
          {"quota", of_filesystem(row.getQuota())},
          {"refquota", of_filesystem(row.getRefquota())},
          {"reservation", number(row.getReservation())},
          {"refreservation", number(row.getRefreservation())},
          {"compression", or_none(row.getCompression())},
          {"compressratio", or_none(row.getCompressRatio())},
          {"recordsize", of_filesystem(row.getRecordSize())},
          {"volsize", is_volume ? number(row.getVolumeSize()) : "-"},
          {"logicalused", number(row.getLogicalUsed())},
          {"origin", or_none(row.getOrigin())},
          {"acltype", or_none(row.getAclType())},
          {"xattr", or_none(row.getXattr())},
          {"copies", number(row.getCopies())},
          {"receive_resume_token", row.getReceiving() ? "1-0-interrupted" : "-"}};
}

/// The oldest, the newest, and as many between them as there are.
std::vector<Snapshot> snapshots_from(DatasetRow row) {
  constexpr std::uint64_t millis = 1000;
  const auto count = row.getSnapshots();
  const auto oldest_at = row.getOldestAt() / millis;
  const auto newest_at = row.getNewestAt() / millis;
  std::vector<Snapshot> snapshots;
  for (unsigned i = 0; i < count; ++i) {
    Snapshot snapshot{.name = fmt::format("unnamed-{}", i + 1)};
    snapshot.created =
        count > 1 ? oldest_at + (newest_at - oldest_at) * i / (count - 1) : oldest_at;
    if (i == 0) snapshot.name = str(row.getOldestSnapshot());
    if (i != 0 && i + 1 == count) snapshot.name = str(row.getNewestSnapshot());
    snapshot.guid = made_guid(fmt::format("{}@{}", view(row.getName()), snapshot.name));
    snapshot.referenced = row.getReferenced();
    snapshot.bytes = i == 0 ? row.getReferenced() : row.getUsedBySnapshots() / (count - 1);
    if (i < row.getHeldSnapshots()) snapshot.holds.emplace("held", snapshot.created);
    snapshots.push_back(std::move(snapshot));
  }
  return snapshots;
}

Dataset dataset_from(DatasetRow row) {
  const bool loaded = view(row.getKeyStatus()) == "available";
  return {.name = str(row.getName()),
          .is_volume = view(row.getKind()) == "volume",
          .guid = row.getGuid(),
          .created = row.getCreatedAt() / 1000,
          .used = row.getUsed(),
          .referenced = row.getReferenced(),
          .used_by_snapshots = row.getUsedBySnapshots(),
          .available = row.getAvailable(),
          .encryption_root = str(row.getEncryptionRoot()),
          .key_loaded = loaded,
          .properties = properties_from(row),
          .snapshots = snapshots_from(row)};
}

/// When, in which order within that second, and what.
struct Moment {
  std::uint64_t second = 0;
  std::size_t rank = 0;
  std::string name = {};

  auto operator<=>(const Moment&) const = default;
};

/// Snapshots of one name and second were taken at one moment.
void number_txgs(Pool& pool) {
  std::map<std::pair<std::uint64_t, std::string>, std::size_t> ranks;
  std::set<Moment> moments;
  for (const auto& [name, dataset] : pool.datasets)
    for (std::size_t i = 0; i < dataset.snapshots.size(); ++i) {
      auto& rank = ranks[{dataset.snapshots[i].created, dataset.snapshots[i].name}];
      rank = std::max(rank, i + 1);
    }
  for (const auto& [when, rank] : ranks)
    moments.insert({.second = when.first, .rank = rank, .name = when.second});
  for (const auto& [name, dataset] : pool.datasets)
    moments.insert({.second = dataset.created, .name = name});
  std::map<std::pair<std::uint64_t, std::string>, std::uint64_t> txgs;
  for (const auto& moment : moments) {
    pool.txg += 10;
    txgs.emplace(std::pair(moment.second, (moment.rank == 0 ? "/" : "") + moment.name), pool.txg);
  }
  for (auto& [name, dataset] : pool.datasets) {
    dataset.txg = txgs.at({dataset.created, "/" + name});
    for (auto& snapshot : dataset.snapshots)
      snapshot.txg = txgs.at({snapshot.created, snapshot.name});
    std::ranges::sort(dataset.snapshots, {}, &Snapshot::txg);
  }
}

Pool pool_from(PoolRow row, Facts facts) {
  Pool pool{.name = str(row.getName()),
            .guid = row.getGuid(),
            .health = str(row.getHealth()),
            .state = str(row.getState()),
            .status = str(row.getStatus()),
            .action = str(row.getAction()),
            .message = str(row.getMessage()),
            .notices = str(row.getNotices()),
            .properties = properties_from(row),
            .size = row.getSize(),
            .allocated = row.getAllocated()};
  if (row.getErrorsKnown()) pool.data_errors = row.getDataErrors();
  for (const auto damage : facts.getDamaged())
    if (view(damage.getPool()) == pool.name) pool.damaged.push_back(str(damage.getObject()));
  for (const auto scan : facts.getScans())
    if (view(scan.getPool()) == pool.name) pool.scans.push_back(scan_from(scan));
  add_features(facts, pool);
  add_vdevs(facts.getVdevs(), pool);
  for (const auto dataset : facts.getDatasets())
    if (pool_of(str(dataset.getName())) == pool.name)
      pool.datasets.emplace(str(dataset.getName()), dataset_from(dataset));
  number_txgs(pool);
  return pool;
}

Pool pool_from(schema::AuditZfs::Importable::Reader row, Facts facts) {
  auto pool = made_pool(str(row.getName()), row.getGuid());
  pool.state = str(row.getState());
  pool.status = str(row.getStatus());
  pool.action = str(row.getAction());
  pool.message = str(row.getMessage());
  add_vdevs(facts.getImportableVdevs(), pool);
  return pool;
}

}  // namespace

bool Pool::is_read_only() const {
  return std::ranges::any_of(properties, [](const auto& property) {
    return property.first == "readonly" && property.second == "on";
  });
}

std::vector<Pool> pools_of(World world) {
  const auto facts = world.getZfs();
  std::vector<Pool> pools;
  for (const auto row : facts.getPools()) pools.push_back(pool_from(row, facts));
  for (const auto row : facts.getImportable()) pools.push_back(pool_from(row, facts));
  return pools;
}

Pool made_pool(const std::string& name, std::uint64_t guid) {
  Draft<schema::AuditZfs::Pool> facts;
  facts->setGuid(guid);
  facts->setDedupRatio("1.00");
  facts->setAshift(12);
  facts->setFailmode("wait");
  Pool pool{.name = name, .guid = guid, .imported = false, .health = "ONLINE", .state = "ONLINE"};
  pool.action = "The pool can be imported using its name or numeric identifier.";
  pool.properties = properties_from(facts->asReader());
  pool.data_errors = 0;
  Draft<schema::AuditZfs::Dataset> root;
  root->setName(name);
  root->setKind("filesystem");
  root->setGuid(made_guid(name));
  root->setMountpoint("none");
  root->setCanmount("on");
  root->setEncryption("off");
  root->setKeyFormat("none");
  root->setKeyLocation("none");
  root->setCompression("on");
  root->setCompressRatio("1.00");
  root->setRecordSize(131072);
  root->setCopies(1);
  pool.datasets.emplace(name, dataset_from(root->asReader()));
  return pool;
}

std::uint64_t made_guid(const std::string& name) {
  // FNV-1a: https://datatracker.ietf.org/doc/html/draft-eastlake-fnv
  std::uint64_t sum = 14695981039346656037U;
  for (const char letter : name) sum = (sum ^ static_cast<unsigned char>(letter)) * 1099511628211U;
  return sum | 1U;
}

std::string pool_of(const std::string& name) { return name.substr(0, name.find_first_of("/@")); }

std::string dataset_of(const std::string& name) { return name.substr(0, name.find('@')); }

std::string snapshot_of(const std::string& name) {
  const auto at = name.find('@');
  return at == std::string::npos ? std::string() : name.substr(at + 1);
}

bool is_within(const std::string& dataset, const std::string& above) {
  return dataset == above || dataset.starts_with(above + "/");
}

}  // namespace relab::agent::sim
