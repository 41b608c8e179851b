#pragma once

/// What runs in the containers of this machine, as far as their own systems tell: units of systemd,
/// ports, and Docker's containers. Which programs those are is for others to say.

#include <string>
#include <string_view>
#include <vector>

#include "agent/kinds/support/pve_guests.h"
#include "schema/guests.capnp.h"

namespace relab::agent::guests {

/// The service that a process belongs to, by its /proc/PID/cgroup: "nginx.service". Empty: none of
/// the system's. https://docs.kernel.org/admin-guide/cgroup-v2.html
std::string unit_of_cgroup(std::string_view text);

/// Whether others than the machine itself reach it: neither 127.0.0.0/8 nor ::1.
bool is_open_to_others(std::string_view address);

/// Looks into each container, also into stopped ones, and changes nothing. Those that cannot be
/// looked into go to `gaps` as problems.
void set_programs(schema::AuditGuests::Facts::Builder facts, Host& host,
                  const std::vector<PveGuest>& guests, Gaps& gaps);

}  // namespace relab::agent::guests
