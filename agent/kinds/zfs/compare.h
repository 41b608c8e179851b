#pragma once

/// What every drill does in the end: each dataset of a copy is mounted beside what it is a copy of,
/// and their files are compared.

#include <string>
#include <string_view>
#include <vector>

#include "agent/host/host.h"
#include "agent/kinds/zfs/members.h"
#include "schema/backup.capnp.h"

namespace relab::agent::zfs {

struct Compared {
  /// As the living pool has it.
  std::string dataset;
  /// Empty: it was compared.
  std::string why_not = {};
  std::uint64_t entries = 0;
  std::uint64_t config_files = 0;
  std::uint64_t sampled = 0;
  std::uint64_t bytes = 0;
};

/// All of them, as those of a drill that was done.
void write_compared(const std::vector<Compared>& all,
                    schema::ZfsBackupVerify::Drill::Builder drill);

/// Mounts below /run/relab-drill, read-only, whatever the mount points of datasets are;
/// `unmount_compared` takes that away again.
class Comparison {
 public:
  /// Borrows the host. The mark tells its mount points from those of other drills.
  Comparison(Host& host, std::string mark, std::size_t sample)
      : host_(host), mark_(std::move(mark)), sample_(sample) {}

  /// Of a dataset of the living pool; `was` is its snapshot, `is` a snapshot or dataset of the
  /// copy. What is closed in the living pool has nothing to compare, which is no error. Of
  /// a volume, which has no files, every block is compared. Fault::damaged for any difference.
  Result<Compared> compare(const Member& living, const std::string& was, const std::string& is);

 private:
  Result<std::string> mount(const std::string& name);

  Host& host_;
  std::string mark_;
  std::size_t sample_;
  unsigned mounted_ = 0;
};

/// Takes away what comparisons of this mark have mounted, whoever made them.
Result<void> unmount_compared(Host& host, std::string_view mark);

}  // namespace relab::agent::zfs
