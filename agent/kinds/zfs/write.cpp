#include "agent/kinds/zfs/write.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <limits>

namespace relab::agent::zfs {

namespace {

constexpr std::uint64_t millis = 1000;

/// Reads numbers out of properties and keeps the first thing that is no number.
class Numbers {
 public:
  explicit Numbers(const Properties& properties) : properties_(properties) {}

  template <typename Number = std::uint64_t>
  Number operator()(std::string_view name) {
    const auto number = number_of(properties_, name);
    if (number && *number <= std::numeric_limits<Number>::max())
      return static_cast<Number>(*number);
    if (wrong_.empty())
      wrong_ = number ? fmt::format("{} is out of range", name) : number.error().sentence();
    return 0;
  }
  const std::string& wrong() const { return wrong_; }

 private:
  const Properties& properties_;
  std::string wrong_;
};

std::uint32_t length(std::size_t size) { return static_cast<std::uint32_t>(size); }

template <typename List, typename Texts>
void write_texts(List list, const Texts& texts) {
  unsigned i = 0;
  for (const auto& text : texts) list.set(i++, text);
}

void write_status(const PoolStatus& status, schema::AuditZfs::Pool::Builder pool) {
  pool.setState(status.state);
  pool.setStatus(status.status);
  pool.setAction(status.action);
  pool.setMessage(status.message);
  pool.setNotices(status.notices);
  pool.setErrorsKnown(status.data_errors.has_value());
  pool.setDataErrors(status.data_errors.value_or(0));
}

void write_settings(const Properties& properties, schema::AuditZfs::Pool::Builder pool) {
  pool.setDedupRatio(value_of(properties, "dedupratio"));
  pool.setReadonly(value_of(properties, "readonly") == "on");
  pool.setAutotrim(value_of(properties, "autotrim"));
  pool.setAutoexpand(value_of(properties, "autoexpand"));
  pool.setAutoreplace(value_of(properties, "autoreplace"));
  pool.setFailmode(value_of(properties, "failmode"));
  pool.setMultihost(value_of(properties, "multihost"));
  pool.setAltroot(value_of(properties, "altroot"));
  pool.setCachefile(value_of(properties, "cachefile"));
  pool.setBootfs(value_of(properties, "bootfs"));
  pool.setCompatibility(value_of(properties, "compatibility"));
  pool.setComment(value_of(properties, "comment"));
}

void write_sizes(Numbers& numbers, schema::AuditZfs::Pool::Builder pool) {
  pool.setSize(numbers("size"));
  pool.setAllocated(numbers("allocated"));
  pool.setFree(numbers("free"));
  pool.setCapacity(numbers.operator()<std::uint8_t>("capacity"));
  pool.setFragmentation(numbers.operator()<std::uint8_t>("fragmentation"));
  pool.setAshift(numbers.operator()<std::uint8_t>("ashift"));
  pool.setCheckpoint(numbers("checkpoint"));
  pool.setLeaked(numbers("leaked"));
}

void write_pool(const Pool& pool, schema::AuditZfs::Pool::Builder builder, Gaps& gaps) {
  const auto& name = pool.imported.name;
  builder.setName(name);
  builder.setGuid(pool.imported.guid);
  builder.setHealth(pool.imported.health);
  write_status(pool.status, builder);
  if (!pool.status.name.empty() && !pool.status.data_errors)
    gaps.problem(fmt::format("data errors of pool {}", name),
                 "zpool status does not tell how many there are");
  if (pool.properties.empty()) return;
  write_settings(pool.properties, builder);
  Numbers numbers(pool.properties);
  write_sizes(numbers, builder);
  if (!numbers.wrong().empty())
    gaps.problem(fmt::format("properties of pool {}", name), numbers.wrong());
}

void write_scan(const std::string& pool, const Scan& scan,
                schema::AuditZfs::Scan::Builder builder) {
  builder.setPool(pool);
  builder.setFunction(scan.function);
  builder.setState(scan.state);
  // ZFS 2.1 tells of a scan that has ended how long it took.
  const auto took = scan.took ? static_cast<std::uint64_t>(Millis(*scan.took).count()) : 0;
  const bool derived = scan.started.unix_millis == 0 && scan.took && scan.ended.unix_millis > took;
  builder.setStartedAt(derived ? scan.ended.unix_millis - took : scan.started.unix_millis);
  builder.setEndedAt(scan.ended.unix_millis);
  builder.setErrors(scan.errors);
  builder.setWords(scan.words);
}

std::string feature_state(std::string_view property, std::string_view value) {
  if (property.starts_with("feature@")) return std::string(value);
  return property.starts_with("unsupported@") ? "unsupported" : "";
}

/// The features of one pool by their state.
std::map<std::string, std::vector<std::string>> features_of(const Properties& properties) {
  std::map<std::string, std::vector<std::string>> states;
  for (const auto& [property, value] : properties)
    if (const auto state = feature_state(property, value); !state.empty())
      states[state].push_back(property.substr(property.find('@') + 1));
  return states;
}

void write_vdev(const PlacedVdev& placed, schema::AuditZfs::Vdev::Builder builder) {
  const auto& vdev = placed.vdev;
  builder.setPool(placed.pool);
  builder.setDepth(static_cast<std::uint8_t>(vdev.depth));
  builder.setParent(placed.parent);
  builder.setName(vdev.name);
  builder.setKind(vdev.kind);
  builder.setRole(vdev.role);
  builder.setState(vdev.state);
  builder.setReadErrors(vdev.read_errors);
  builder.setWriteErrors(vdev.write_errors);
  builder.setChecksumErrors(vdev.checksum_errors);
  builder.setGuid(vdev.guid);
  builder.setPath(vdev.path);
  builder.setDevice(placed.leaf.device);
  builder.setSerial(placed.leaf.serial);
  const auto* gap = vdev.note.empty() || placed.leaf.note.empty() ? "" : "; ";
  builder.setNote(fmt::format("{}{}{}", vdev.note, gap, placed.leaf.note));
}

void write_encryption(const Properties& properties, schema::AuditZfs::Dataset::Builder dataset) {
  dataset.setEncryption(value_of(properties, "encryption"));
  dataset.setEncryptionRoot(value_of(properties, "encryptionroot"));
  dataset.setKeyStatus(value_of(properties, "keystatus"));
  dataset.setKeyFormat(value_of(properties, "keyformat"));
  dataset.setKeyLocation(without_credentials(value_of(properties, "keylocation")));
}

void write_sizes(Numbers& numbers, schema::AuditZfs::Dataset::Builder dataset) {
  dataset.setGuid(numbers("guid"));
  dataset.setCreatedAt(numbers("creation") * millis);
  dataset.setUsed(numbers("used"));
  dataset.setAvailable(numbers("available"));
  dataset.setReferenced(numbers("referenced"));
  dataset.setUsedBySnapshots(numbers("usedbysnapshots"));
  dataset.setLogicalUsed(numbers("logicalused"));
  dataset.setQuota(numbers("quota"));
  dataset.setRefquota(numbers("refquota"));
  dataset.setReservation(numbers("reservation"));
  dataset.setRefreservation(numbers("refreservation"));
  dataset.setRecordSize(numbers("recordsize"));
  dataset.setVolumeSize(numbers("volsize"));
  dataset.setCopies(numbers.operator()<std::uint8_t>("copies"));
}

void write_snapshots(const Snapshots& snapshots, schema::AuditZfs::Dataset::Builder dataset) {
  dataset.setSnapshots(snapshots.count);
  dataset.setHeldSnapshots(snapshots.held);
  dataset.setOldestSnapshot(snapshots.oldest);
  dataset.setOldestAt(snapshots.oldest_at * millis);
  dataset.setNewestSnapshot(snapshots.newest);
  dataset.setNewestAt(snapshots.newest_at * millis);
}

void write_dataset(const Dataset& from, schema::AuditZfs::Dataset::Builder dataset, Gaps& gaps) {
  const auto& properties = from.properties;
  const auto name = value_of(properties, "name");
  dataset.setName(name);
  dataset.setKind(value_of(properties, "type"));
  dataset.setMountpoint(value_of(properties, "mountpoint"));
  dataset.setCanmount(value_of(properties, "canmount"));
  dataset.setMounted(value_of(properties, "mounted") == "yes");
  dataset.setReadonly(value_of(properties, "readonly") == "on");
  dataset.setCompression(value_of(properties, "compression"));
  dataset.setCompressRatio(value_of(properties, "compressratio"));
  dataset.setOrigin(value_of(properties, "origin"));
  dataset.setAclType(value_of(properties, "acltype"));
  dataset.setXattr(value_of(properties, "xattr"));
  dataset.setReceiving(!value_of(properties, "receive_resume_token").empty());
  write_encryption(properties, dataset);
  write_snapshots(from.snapshots, dataset);
  Numbers numbers(properties);
  write_sizes(numbers, dataset);
  if (!numbers.wrong().empty()) gaps.problem(fmt::format("dataset {}", name), numbers.wrong());
}

}  // namespace

void write_pools(const std::vector<Pool>& pools, Facts::Builder facts, Gaps& gaps) {
  auto list = facts.initPools(length(pools.size()));
  for (unsigned i = 0; i < list.size(); ++i) write_pool(pools[i], list[i], gaps);
}

void write_scans(const std::vector<Pool>& pools, Facts::Builder facts, Gaps& gaps) {
  std::size_t count = 0;
  for (const auto& pool : pools) count += pool.status.scans.size();
  auto list = facts.initScans(length(count));
  unsigned i = 0;
  for (const auto& pool : pools) {
    for (const auto& scan : pool.status.scans) {
      write_scan(pool.imported.name, scan, list[i++]);
      if (scan.state == "unknown" || scan.function == "unknown")
        gaps.problem(fmt::format("scan of pool {}", pool.imported.name),
                     fmt::format("zpool status is not understood: '{}'", scan.words));
    }
  }
}

void write_damaged(const std::vector<Pool>& pools, Facts::Builder facts) {
  std::size_t count = 0;
  for (const auto& pool : pools) count += pool.status.damaged.size();
  auto list = facts.initDamaged(length(count));
  unsigned i = 0;
  for (const auto& pool : pools) {
    for (const auto& object : pool.status.damaged) {
      auto entry = list[i++];
      entry.setPool(pool.imported.name);
      entry.setObject(object);
    }
  }
}

void write_features(const std::vector<Pool>& pools, Facts::Builder facts) {
  std::vector<std::pair<std::string, std::map<std::string, std::vector<std::string>>>> all;
  std::size_t count = 0;
  for (const auto& pool : pools) {
    all.emplace_back(pool.imported.name, features_of(pool.properties));
    count += all.back().second.size();
  }
  auto list = facts.initFeatures(length(count));
  unsigned i = 0;
  for (const auto& [pool, states] : all) {
    for (const auto& [state, names] : states) {
      auto set = list[i++];
      set.setPool(pool);
      set.setState(state);
      write_texts(set.initNames(length(names.size())), names);
    }
  }
}

void write_vdevs(const std::vector<PlacedVdev>& vdevs,
                 capnp::List<schema::AuditZfs::Vdev>::Builder list) {
  for (unsigned i = 0; i < list.size(); ++i) write_vdev(vdevs[i], list[i]);
}

void write_datasets(const std::vector<Dataset>& datasets, Facts::Builder facts, Gaps& gaps) {
  auto list = facts.initDatasets(length(datasets.size()));
  for (unsigned i = 0; i < list.size(); ++i) write_dataset(datasets[i], list[i], gaps);
}

void write_importable(const std::vector<PoolStatus>& pools, Facts::Builder facts) {
  auto list = facts.initImportable(length(pools.size()));
  for (unsigned i = 0; i < list.size(); ++i) {
    auto pool = list[i];
    pool.setName(pools[i].name);
    pool.setGuid(pools[i].guid);
    pool.setState(pools[i].state);
    pool.setStatus(pools[i].status);
    pool.setAction(pools[i].action);
    pool.setMessage(pools[i].message);
  }
}

}  // namespace relab::agent::zfs
