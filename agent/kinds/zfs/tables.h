#pragma once

/// The tab-separated outputs of `zpool` and `zfs`: pools, properties, datasets, snapshots.

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.h"

namespace relab::agent::zfs {

/// Property to value; "-" stands for none, as ZFS prints it.
using Properties = std::map<std::string, std::string, std::less<>>;

/// Of `zpool get -Hp all`: the properties of each pool. Fault::damaged if a line has not four
/// columns.
Result<std::map<std::string, Properties, std::less<>>> parse_pool_properties(std::string_view text);

/// The columns of `zfs list` that a dataset is read from, in this order.
inline constexpr std::array<std::string_view, 31> dataset_columns = {
    "name",           "type",        "guid",          "creation",       "used",
    "available",      "referenced",  "logicalused",   "mountpoint",     "canmount",
    "mounted",        "readonly",    "encryption",    "encryptionroot", "keystatus",
    "keyformat",      "keylocation", "quota",         "refquota",       "reservation",
    "refreservation", "compression", "compressratio", "recordsize",     "volsize",
    "origin",         "acltype",     "xattr",         "copies",         "receive_resume_token",
    "usedbysnapshots"};

/// Of `zfs list -Hp -o` with `dataset_columns`: one set of properties a dataset.
Result<std::vector<Properties>> parse_datasets(std::string_view text);

/// The snapshots of one dataset.
struct Snapshots {
  std::uint32_t count = 0;
  std::uint32_t held = 0;
  std::string oldest = {};
  std::uint64_t oldest_at = 0;
  std::string newest = {};
  std::uint64_t newest_at = 0;
};

/// Of `zfs list -Hp -t snapshot -o name,creation,userrefs`, by dataset; times in seconds.
Result<std::map<std::string, Snapshots, std::less<>>> parse_snapshots(std::string_view text);

/// The value of a property as a text, "" for none.
std::string value_of(const Properties& properties, std::string_view name);
/// As a number: 0 for "-" and "none". Fault::damaged for a missing property or any other text.
Result<std::uint64_t> number_of(const Properties& properties, std::string_view name);

/// The location without the name and password that a URL may carry.
std::string without_credentials(std::string_view location);

/// "2.3.9-0+deb13u1" and the kernel module's, of `zfs version`; empty if not told.
struct Versions {
  std::string tool;
  std::string module;

  /// `zpool status -j` exists from 2.3 on.
  bool has_json() const;
};
Versions parse_versions(std::string_view text);

}  // namespace relab::agent::zfs
