#pragma once

/// What a run looks like at the moment, in a file for others to look at: `relab watch`. It is no
/// evidence of anything, and gone with the process that writes it.

#include <filesystem>
#include <optional>
#include <string>

#include "common/base/id.h"
#include "common/base/result.h"
#include "common/base/time.h"
#include "controller/cli/live/view.h"

namespace relab::controller::cli {

class LiveFile {
 public:
  /// `live.json` in this folder, for its owner alone; removed at the end.
  LiveFile(const std::filesystem::path& folder, const RunId& run);
  LiveFile(const LiveFile&) = delete;
  LiveFile& operator=(const LiveFile&) = delete;
  ~LiveFile();

  /// Once a second; once a minute where it could not be written.
  bool is_due(Instant now) const;
  /// Faults of `replace_file`, the first time that it fails.
  Result<void> write(const LiveView& view, Instant now);

 private:
  std::filesystem::path file_;
  std::string run_;
  Instant written_{};
  bool failed_ = false;
};

/// What is in that folder of this run, if that was written only now: who wrote it may be dead.
/// Nothing otherwise, and where it cannot be understood: another version may have written it.
std::optional<LiveView> read_live(const std::filesystem::path& folder, const RunId& run,
                                  Instant now);

}  // namespace relab::controller::cli
