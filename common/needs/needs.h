#pragma once

/// What the needs of a task kind are ($needs in the schema): which report shows each, how old it
/// may be, and how it is judged. Controller and agent both judge by this, each with its own clock:
/// whatever a plan says, nothing that destroys is begun on less.

#include <chrono>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/time.h"
#include "schema/disks.capnp.h"
#include "schema/task.capnp.h"
#include "schema/wire.capnp.h"

namespace relab::needs {

struct Need {
  std::string_view name;
  /// The task kind whose newest report on the same machine shows it.
  std::string_view arm;
  std::chrono::seconds max_age;
  /// In a sentence, for people: "nothing uses the disk".
  std::string_view says;
  /// Empty if the facts show that it holds for this task; else why not.
  std::string (*judge)(schema::Task::Reader task, schema::Facts::Reader facts);
};

/// Null if there is none of that name.
const Need* find(std::string_view name);
std::span<const Need> all();

/// What a report is held against.
struct Terms {
  std::string_view lab;
  std::string_view machine_id;
  /// Since when what it shows was so, at the earliest, and what time it is: by one clock.
  Instant taken;
  Instant now;
};

enum class Standing {
  met,
  nothing,  ///< of another machine, lab or kind, or no success: as if there were none
  stale,
  unmet,  ///< it shows that the need does not hold
};

struct Opinion {
  Standing standing = Standing::met;
  /// Why, unless it is met.
  std::string why = {};

  bool met() const { return standing == Standing::met; }
};

/// Whether this report shows that the need holds for the task. That it is signed by the right key,
/// and the newest of its kind, is for the caller to see to.
Opinion judge(const Need& need, schema::Task::Reader task, schema::Report::Reader report,
              const Terms& terms);

/// What a task that destroys something would destroy, as the evidence shows it: "disk WD-1, WDC
/// WD40EFRX, 4.0 TB (usb-..., nothing on it)". One line for each thing.
std::vector<std::string> victims(schema::Task::Reader task, schema::Facts::Reader facts);

/// Why a disk is not free for anything else: "mounted", "sdb1 belongs to zfs tank". Empty: nothing
/// uses it, whatever old file system may be on it.
std::string use_of(schema::DiskAttached::Facts::Reader disk);

}  // namespace relab::needs
