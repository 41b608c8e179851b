#pragma once

/// Many rehearsals of one plan, each with faults by chance: none may end with a gate that is open
/// over something that is not so.

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "controller/rehearsal/rehearsal.h"

namespace relab::rehearsal {

struct ChaosWish {
  /// Borrowed.
  const Message<schema::Lab>& lab;
  const std::vector<Message<schema::World>>& worlds;
  /// Each rehearsal has a folder in it, which is removed once nothing is wrong with it.
  std::filesystem::path folder;
  Instant begin;
  std::uint64_t seed = 1;
};

enum class ChaosResult {
  untouched,  ///< nothing met with any of the faults
  recovered,  ///< every phase came to its end, and what gates rest on was well then
  unwell,     ///< every phase came to its end; a pool of data, or a disk that a step asked for, is
              ///< lost or not well then, and no step has seen it
  stopped,    ///< at a gate, or before
};

/// How one of them ended.
struct ChaosEnd {
  /// What it can be made again with.
  std::uint64_t seed = 0;
  std::vector<std::string> faults;
  /// Phases that came to their end and showed what they must.
  unsigned complete = 0;
  ChaosResult result = ChaosResult::stopped;
  /// What is not well, where the result is `unwell`.
  std::string lost = {};
  /// What must never be; empty: it is well.
  std::string wrong = {};
};

/// Faults that this seed stands for, out of what lab and worlds have.
std::vector<FaultWish> faults_by_chance(const ChaosWish& wish);

/// Without any fault: every phase comes to its end, but for those without steps.
Result<bool> comes_to_its_end(const ChaosWish& wish, Onlooker& onlooker);

/// One of them. An error only where it could not be carried out; Fault::unsupported where there is
/// nothing that could go wrong.
Result<ChaosEnd> rehearse_with_chance(const ChaosWish& wish, Onlooker& onlooker);

}  // namespace relab::rehearsal
