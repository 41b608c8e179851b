#pragma once

/// The pools that must outlive an installation: those whose disks all have the role `data`.

#include <fmt/format.h>
#include <utility>

#include "controller/gates/gate.h"
#include "controller/gates/testimony.h"

namespace relab::controller {

using LabPool = schema::Lab::Pool::Reader;

std::vector<LabPool> data_pools(schema::Lab::Reader lab);
/// The lab's only host where the pool names none.
std::string host_of(schema::Lab::Reader lab, LabPool pool);
/// The phase with a step of this kind about this pool, for the command that would supply it.
std::string run_for(schema::Lab::Reader lab, const About& about);
/// Why a pool of that GUID is not the one that the audit saw under that name; empty: it is.
std::string pool_concern(const Evidences& evidences, LabPool pool, std::uint64_t guid);
/// How long ago the task was ordered, in words.
std::string age_of(const Evidences& evidences, const Testimony& heard);

/// One finding for each of them; one that is not met where there is none.
template <typename Judge>
Verdict for_each_pool(std::string condition, const Evidences& evidences, const Judge& judge) {
  Verdict verdict{.condition = std::move(condition)};
  for (const auto pool : data_pools(evidences.lab)) verdict.findings.push_back(judge(pool));
  if (verdict.findings.empty())
    verdict.findings.push_back({.subject = "the data pools",
                                .why = "lab.toml declares no pool whose disks have the role data",
                                .supply = "declare it, or take the condition out of the plan"});
  return verdict;
}

}  // namespace relab::controller
