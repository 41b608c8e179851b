#include "controller/rehearsal/chaos.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <random>
#include <set>

#include "controller/gates/data_pools.h"
#include "controller/lab/external_disks.h"
#include "controller/plan/plan.h"

namespace relab::rehearsal {

namespace {

/// The same on every machine, unlike the distributions of the standard library.
class Dice {
 public:
  explicit Dice(std::uint64_t seed) : engine_(seed) {}

  /// Below `count`, which is not 0.
  std::uint64_t below(std::uint64_t count) { return engine_() % count; }
  template <typename List>
  const auto& one_of(const List& list) {
    return list[below(list.size())];
  }

 private:
  std::mt19937_64 engine_;
};

/// Tasks of these kinds go on for hours, and tell how far they are.
bool tells_how_far(const std::string& kind) {
  static const std::set<std::string> kinds = {"zfsScrub", "zfsBackup", "zfsBackupVerify",
                                              "zfsPoolBackup"};
  return kinds.contains(kind);
}

/// What faults can befall.
struct Targets {
  std::vector<controller::PlannedStep> steps;
  /// Serial numbers.
  std::vector<std::string> disks;
  std::vector<std::string> external;
  /// None where no step has to do with guests that start, storages and downloads.
  std::vector<std::string> guests;
};

/// Steps of these make and start guests, on a storage, out of what is downloaded.
bool makes_guests(const std::string& kind) {
  static const std::set<std::string> kinds = {"guest", "guestTemplate", "guestPower"};
  return kinds.contains(kind);
}

Targets targets_of(const ChaosWish& wish) {
  Targets targets;
  bool with_guests = false;
  const auto lab = wish.lab.reader();
  for (const auto& name : controller::phases_in_order(lab)) {
    const auto plan = controller::compile_phase(lab, name);
    if (!plan) continue;
    for (const auto& track : plan->tracks)
      for (const auto& step : track) {
        targets.steps.push_back(step);
        with_guests = with_guests || makes_guests(step.arm);
      }
  }
  for (const auto& world : wish.worlds) {
    for (const auto disk : world.reader().getDisks().getDisks())
      if (disk.getSerial().size() != 0) targets.disks.push_back(str(disk.getSerial()));
    for (const auto serial : world.reader().getUnplugged()) targets.external.push_back(str(serial));
  }
  if (with_guests)
    for (const auto guest : lab.getGuests()) targets.guests.push_back(str(guest.getName()));
  return targets;
}

/// In words, so that a person can ask for just this one.
std::string fault_by_chance(const Targets& targets, Dice& dice) {
  enum { dies, fails, pulled, full, of_disks, guest = of_disks, storage, download, kinds };
  const auto& step = dice.one_of(targets.steps);
  const auto& path = step.path;
  const auto moment = [&] {
    return tells_how_far(step.arm) && dice.below(4) != 0
               ? fmt::format("at {}% of {}", 1 + dice.below(99), path)
               : "during " + path;
  };
  const auto& disk = dice.one_of(targets.disks);
  switch (dice.below(targets.guests.empty() ? of_disks : kinds)) {
    case fails:
      return fmt::format("disk:{} fails {}", disk, moment());
    case pulled:
      return fmt::format("disk:{} is pulled {}", disk, moment());
    case full:
      if (targets.external.empty()) break;
      return fmt::format("disk:{} full at {} GB", dice.one_of(targets.external),
                         1 + dice.below(4000));
    case guest: {
      constexpr std::array ways{"does not start", "ends after its start", "is locked"};
      return fmt::format("guest:{} {}", dice.one_of(targets.guests), dice.one_of(ways));
    }
    case storage:
      return fmt::format("storage:{} is full during {}", dice.below(2) == 0 ? "local" : "local-zfs",
                         path);
    case download:
      return "download fails";
    default:
      break;
  }
  return fmt::format("agent:{} dies {}", step.agent, moment());
}

}  // namespace

std::vector<FaultWish> faults_by_chance(const ChaosWish& wish) {
  const auto targets = targets_of(wish);
  std::vector<FaultWish> wishes;
  if (targets.steps.empty() || targets.disks.empty()) return wishes;
  Dice dice(wish.seed);
  for (auto count = 1 + dice.below(3); count != 0; --count) {
    auto parsed = parse_fault(fault_by_chance(targets, dice));
    RELAB_ASSERT(parsed);
    wishes.push_back(*std::move(parsed));
  }
  return wishes;
}

namespace {

Result<std::unique_ptr<Rehearsal>> rehearsed(const ChaosWish& wish,
                                             const std::filesystem::path& folder,
                                             std::vector<FaultWish> faults, Onlooker& onlooker) {
  std::vector<Message<schema::World>> worlds;
  for (const auto& world : wish.worlds) {
    RELAB_TRY(auto copy, Message<schema::World>::parse(world.bytes()));
    worlds.push_back(std::move(copy));
  }
  RELAB_TRY(auto rehearsal, Rehearsal::make({.lab = wish.lab,
                                             .worlds = std::move(worlds),
                                             .folder = folder,
                                             .begin = wish.begin,
                                             .faults = std::move(faults)}));
  RELAB_CHECK(rehearsal->run(onlooker));
  return rehearsal;
}

bool all_complete(const Rehearsal& rehearsal) {
  return std::ranges::all_of(
      rehearsal.phases(), [](const auto& phase) { return phase.steps == 0 || phase.complete(); });
}

/// What gates rest on, as troubles name it: pools of data, and the disks that steps ask for.
std::set<std::string> rested_on(schema::Lab::Reader lab) {
  std::set<std::string> all;
  for (const auto pool : controller::data_pools(lab)) all.insert("pool " + str(pool.getName()));
  for (const auto& name : controller::phase_names(lab)) {
    const auto plan = controller::compile_phase(lab, name);
    if (!plan) continue;
    for (const auto& track : plan->tracks)
      for (const auto& step : track) {
        const auto [kind, serial] = lab::external_disk_of(step.task->reader());
        if (!serial.empty()) all.insert(fmt::format("disk {}", serial));
      }
  }
  return all;
}

}  // namespace

Result<bool> comes_to_its_end(const ChaosWish& wish, Onlooker& onlooker) {
  const auto folder = wish.folder / "undisturbed";
  RELAB_TRY(const auto rehearsal, rehearsed(wish, folder, {}, onlooker));
  const bool complete = all_complete(*rehearsal);
  std::error_code ignored;
  std::filesystem::remove_all(folder, ignored);
  return complete;
}

Result<ChaosEnd> rehearse_with_chance(const ChaosWish& wish, Onlooker& onlooker) {
  ChaosEnd end{.seed = wish.seed, .faults = {}};
  auto faults = faults_by_chance(wish);
  if (faults.empty())
    return fail(Fault::unsupported, "nothing can go wrong here: there is no step, or no disk");
  for (const auto& fault : faults) end.faults.push_back(fault.text);
  const auto folder = wish.folder / fmt::format("seed-{}", wish.seed);
  RELAB_TRY(const auto rehearsal, rehearsed(wish, folder, std::move(faults), onlooker));
  for (const auto& phase : rehearsal->phases()) end.complete += phase.complete() ? 1U : 0U;
  const auto essential = rested_on(wish.lab.reader());
  for (const auto& trouble : rehearsal->troubles()) {
    const auto words = fmt::format("{}: {}; ", trouble.where, trouble.what);
    if (trouble.kind == Trouble::Kind::untrue || trouble.kind == Trouble::Kind::not_played)
      end.wrong += words;
    if (trouble.kind == Trouble::Kind::unwell && essential.contains(trouble.where))
      end.lost += words;
  }
  if (rehearsal->faults_met().empty())
    end.result = ChaosResult::untouched;
  else if (all_complete(*rehearsal))
    end.result = end.lost.empty() ? ChaosResult::recovered : ChaosResult::unwell;
  std::error_code ignored;
  if (end.wrong.empty()) std::filesystem::remove_all(folder, ignored);
  return end;
}

}  // namespace relab::rehearsal
