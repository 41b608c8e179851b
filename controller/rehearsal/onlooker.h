#pragma once

/// Who watches a rehearsal while it goes on.

#include "common/base/result.h"
#include "common/base/time.h"
#include "controller/engine/engine.h"
#include "controller/run/driver.h"

namespace relab::rehearsal {

class Stage;
struct RehearsedPhase;

class Onlooker {
 public:
  Onlooker() = default;
  Onlooker(const Onlooker&) = delete;
  Onlooker& operator=(const Onlooker&) = delete;
  virtual ~Onlooker() = default;

  /// A phase begins. What happens in it is told to this one, which has to last until it ends.
  virtual controller::Narrator& begins(const RehearsedPhase& phase) = 0;
  /// Again and again in the course of it; `since` its begin, as simulated clocks have it. An error
  /// breaks the rehearsal off.
  virtual Result<void> passes(const Stage& stage, const controller::Engine& engine,
                              Millis since) = 0;
  virtual void ends() = 0;
};

}  // namespace relab::rehearsal
