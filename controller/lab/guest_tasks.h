#pragma once

/// Tasks about a container, filled from what [[guests]] declares.

#include <string>
#include <string_view>

#include "schema/lab.capnp.h"
#include "schema/task.capnp.h"

namespace relab::lab {

/// The guest that the task is about; empty: about none.
std::string_view guest_of(schema::Task::Reader task);
/// Proxmox's number that such a task gives; 0: none.
std::uint32_t vmid_of(schema::Task::Reader task);

/// Sets of `guest` and `guest_power` what their step leaves out, as the lab declares the guest.
void fill_guest_task(schema::Task::Builder task, schema::Lab::Reader lab);

}  // namespace relab::lab
