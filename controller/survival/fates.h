#pragma once

/// What becomes of everything that the audit found when the operating system is installed anew, and
/// what of it must not be lost.

#include "controller/gates/gate.h"
#include "controller/survival/ground.h"

namespace relab::controller {

/// Something that is somewhere: a path of a machine as it is now.
struct Thing {
  std::string host = {};
  /// 0: the host itself.
  std::uint32_t vmid = 0;
  /// As that place sees it; empty: nobody knows where it is, or it is no path.
  std::string path = {};
  /// Where it really lies on the host, every link followed; empty: the audit does not tell.
  std::string real = {};
  /// "configuration of sonarr", "dataset", "kept by lab.toml".
  std::string what;
  /// Of a dataset, and of a whole pool: the pool.
  std::string pool = {};
  /// The pool is on the disks, and not imported.
  bool exported = false;
  /// How [[keep]] gives it up if it has no path: "/zpool:old". Empty: only with its whole machine.
  std::string keep_path = {};
  /// [[keep]] names it.
  bool kept = false;
  /// It must not be lost: by itself, or since lab.toml says so.
  bool wanted = false;
  /// lab.toml says that it may be lost.
  bool given_up = false;

  /// "/etc/pve of z640", "/var/lib/sonarr in guest 110 of z640".
  std::string place() const;
  /// One of a pool, and not the pool.
  bool is_dataset() const { return !pool.empty() && keep_path.empty(); }
};

enum class Ending {
  survives,
  preserved,  ///< lost, but archived on something that survives, and read back
  lost,
};
std::string_view name(Ending ending);

struct Fate {
  Thing thing;
  Ending ending = Ending::lost;
  std::string why;
  /// The task that archived it.
  std::optional<Origin> origin = {};
  /// The command that would archive it; empty: no step of the plan does.
  std::string supply = {};

  bool is_safe() const { return ending != Ending::lost || !thing.wanted || thing.given_up; }
};

/// The newest successful facts of each section, however old; with the sections that do not count
/// within `max_age` as findings that are not met.
struct Heard {
  HostAudit audit;
  std::vector<Finding> missing;
};
Heard hear_audit(const Evidences& evidences, const std::string& host, std::chrono::seconds max_age);

/// Everything that is somewhere on this host and in its guests: datasets, guests' disks and mounts,
/// configuration and data of applications, and what lab.toml names; wanted things first.
std::vector<Thing> things_on(schema::Lab::Reader lab, const std::string& host,
                             const HostAudit& audit);

/// Whether lab.toml says that a path may be lost: of all that [[keep]] names at or above it, the
/// longest decides. What has no path is below "/".
bool is_given_up(schema::Lab::Reader lab, const std::string& host, std::uint32_t vmid,
                 const std::string& path);

/// What becomes of each. An archive counts if it was read back within `max_age`, and is no older.
std::vector<Fate> fates_on(const Evidences& evidences, const std::string& host,
                           const HostAudit& audit, std::chrono::seconds max_age);

/// `data.survives`: of every host, all that is wanted survives or is preserved.
Verdict data_survives(const Evidences& evidences, std::chrono::seconds max_age);

}  // namespace relab::controller
