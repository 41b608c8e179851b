#pragma once

/// The filesystems and volumes of a tree, and whether they are open.

#include <string>
#include <string_view>
#include <vector>

#include "agent/host/host.h"

namespace relab::agent::zfs {

struct Member {
  std::string name;
  bool is_volume = false;
  /// Empty: it is not encrypted.
  std::string encryption_root = {};
  bool key_loaded = false;
  /// As of a Node.
  bool scratch = false;

  bool encrypted() const { return !encryption_root.empty(); }
};

/// A dataset and all below it, without what a drill made below it.
Result<std::vector<Member>> members_of(Host& host, const std::string& dataset);
/// Of `zfs list -Hp -o name,type,encryptionroot,keystatus,relab:drill`. Fault::damaged for any
/// other line, and for none.
Result<std::vector<Member>> parse_members(std::string_view text);

}  // namespace relab::agent::zfs
