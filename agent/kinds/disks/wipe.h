#pragma once

/// Makes a disk that nothing uses blank.

#include "agent/kinds/kind.h"

namespace relab::agent::disks {

struct WipeDisk {
  static constexpr std::string_view arm = "wipeDisk";
  using Params = schema::WipeDisk;
  using Facts = schema::WipeDisk::Facts;
  static Result<Message<Facts>> observe(Params::Reader params, Host& host);
  /// Fault::refused if anything uses the disk, or it carries a member of a pool or volume, whatever
  /// was approved: the machine may have changed since.
  static Result<std::vector<Change>> plan(Params::Reader params, Facts::Reader facts);
  /// A file system that the audit did not show, or another one in its place; another size.
  static std::string departs(Params::Reader params, Facts::Reader facts,
                             schema::Facts::Reader evidence);
  static Result<void> apply(const Change& change, Host& host);
};
static_assert(DestroyingKind<WipeDisk>);

/// What wipefs printed with --json. It prints nothing at all where it found nothing.
struct Signature {
  std::string device = {};
  std::string type = {};
  std::string label = {};
  std::string offset = {};
  std::string uuid = {};

  bool operator==(const Signature&) const = default;
};
Result<std::vector<Signature>> parse_signatures(std::string_view json);

}  // namespace relab::agent::disks
