#pragma once

/// One simulated Proxmox machine with something for every section of the audit to find, without a
/// fault.

#include "tests/support/sim_guest.h"

namespace relab::agent {

class Workshop {
 public:
  Workshop();
  SimHost host;

 private:
  void add_system();
  void add_processes();
  void add_schedules();
  void add_network();
  void add_guests();
  void add_pools();
  void add_disks();
  void add_cards();
  void add_media();
  void add_backups();

  SimHost guest_;
};

}  // namespace relab::agent
