#include "controller/lab/additions.h"

#include <algorithm>
#include <capnp/dynamic.h>
#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "common/reflect/notes.h"
#include "common/reflect/union.h"
#include "common/wire/message.h"
#include "controller/lab/guest_tasks.h"
#include "controller/lab/hosts.h"

namespace relab::lab {

namespace {

using schema::Lab;

struct Proof {
  enum class Of { everything, pools };
  std::string_view condition;
  bool absolute = false;
  Of of = Of::everything;
};

/// A pool that is degraded, or a copy too large to be received once for trial, may be excused by a
/// person.
constexpr Proof all_proofs[] = {
    {.condition = "audit.complete", .absolute = true},
    {.condition = "pools.intact", .of = Proof::Of::pools},
    {.condition = "key.proven", .absolute = true, .of = Proof::Of::pools},
    {.condition = "backup.verified", .absolute = true, .of = Proof::Of::pools},
    {.condition = "backup.drilled", .of = Proof::Of::pools},
    {.condition = "data.survives", .absolute = true}};

bool has_data(Lab::Reader lab) {
  const auto is_data = [&](std::string_view name) {
    return any_in(lab.getDisks(), [&](auto disk) {
      return view(disk.getName()) == name && disk.getRole() == Lab::Disk::Role::DATA;
    });
  };
  return any_in(lab.getPools(), [&](auto pool) {
    return any_in(pool.getDisks(), [&](auto name) { return is_data(view(name)); });
  });
}

std::vector<Proof> proofs_for(bool data, Lab::Phase::Reader phase) {
  std::vector<Proof> proofs;
  for (const auto& proof : all_proofs) {
    // An installation overwrites more than disks of data; a disk is wiped by its own evidence.
    if (proof.of == Proof::Of::everything && !data && phase.getInstalls().size() == 0) continue;
    if (proof.of == Proof::Of::pools && !data) continue;
    proofs.push_back(proof);
  }
  return proofs;
}

void add_proofs(Lab::Phase::Builder phase, const std::vector<Proof>& proofs) {
  const auto old = phase.disownGate();
  const auto asked = old.getReader();
  std::vector<Proof> missing;
  for (const auto& proof : proofs)
    if (!any_in(asked, [&](auto known) { return view(known.getName()) == proof.condition; }))
      missing.push_back(proof);
  auto gate = phase.initGate(asked.size() + static_cast<unsigned>(missing.size()));
  for (unsigned i = 0; i < asked.size(); ++i) {
    gate.setWithCaveats(i, asked[i]);
    const auto same = std::ranges::find(proofs, view(asked[i].getName()), &Proof::condition);
    if (same != proofs.end() && same->absolute) gate[i].setAbsolute(true);
  }
  for (unsigned i = 0; i < missing.size(); ++i) {
    auto condition = gate[asked.size() + i];
    condition.setName(std::string(missing[i].condition));
    condition.setMaxAge(static_cast<std::uint32_t>(proof_age_max.count()));
    condition.setAbsolute(missing[i].absolute);
  }
}

void add_paths(schema::PathCheck::Builder task, Lab::Reader lab, std::string_view host) {
  std::vector<Lab::Keep::Reader> wanted;
  for (const auto keep : lab.getKeep())
    if (!keep.getLose() && host_of(keep, lab) == host) wanted.push_back(keep);
  auto paths = task.initPaths(static_cast<unsigned>(wanted.size()));
  for (unsigned i = 0; i < paths.size(); ++i) {
    paths[i].setPath(wanted[i].getPath());
    paths[i].setVmid(wanted[i].getVmid());
  }
}

}  // namespace

bool destroys(Lab::Step::Reader step) {
  return reflect::notes_of_kind(reflect::member_of(capnp::toDynamic(step.getTask()))).destructive;
}

bool is_guarded(Lab::Phase::Reader phase) {
  return phase.getInstalls().size() != 0 || any_in(phase.getTracks(), [](auto track) {
           return any_in(track.getSteps(), [](auto step) { return destroys(step); });
         });
}

void complete_lab(Lab::Builder lab) {
  const bool data = has_data(lab.asReader());
  for (auto phase : lab.getPlan().getPhases()) {
    if (is_guarded(phase.asReader())) add_proofs(phase, proofs_for(data, phase.asReader()));
    for (auto track : phase.getTracks())
      for (auto step : track.getSteps()) {
        fill_guest_task(step.getTask(), lab.asReader());
        if (step.getTask().isPathCheck() && step.getTask().getPathCheck().getPaths().size() == 0)
          add_paths(step.getTask().getPathCheck(), lab.asReader(),
                    view(track.getAgent().asReader()));
      }
  }
}

}  // namespace relab::lab
