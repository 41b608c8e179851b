#pragma once

/// What a run came to: written to the ledger, and told to a person and to programs.

#include "controller/cli/run_part.h"

namespace relab::controller::cli {

class RunEnding {
 public:
  RunEnding(Context& context, OpenedLab& opened, schema::Lab::Reader lab, const RunRecord& run)
      : context_(context),
        opened_(opened),
        lab_(lab),
        run_(run.id),
        part_{.phase = run.phase, .track = run.track},
        check_(run.check) {}

  /// Every step has come to its end.
  Result<PartEnd> conclude(const Driver& driver) const;
  /// The same of a run in check mode: what it would have changed is its result.
  Result<PartEnd> conclude_check(const Driver& driver) const;
  /// Nothing can go on for now: who or what is waited for.
  PartEnd tell_stalled(const Driver& driver) const;

 private:
  /// What steps that succeeded leave for a person to know.
  void tell_notes() const;

  Context& context_;
  OpenedLab& opened_;
  schema::Lab::Reader lab_;
  RunId run_;
  Part part_;
  bool check_;
};

}  // namespace relab::controller::cli
