#pragma once

/// Processes of a simulated machine, and the sockets on which they listen, as /proc shows them.

#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "agent/host/sim/sim_host.h"
#include "schema/services.capnp.h"

namespace relab::agent::sim {

struct ListeningSocket {
  /// "tcp", "tcp6", "udp", "udp6".
  std::string protocol = "tcp";
  std::string address = "0.0.0.0";
  std::uint16_t port = 0;
  std::string user = "root";
  /// 0: nobody that is known holds it.
  std::uint32_t pid = 0;
  std::string process = {};
  /// Its last part is the unit.
  std::string cgroup = {};

  std::string unit() const { return cgroup.substr(cgroup.rfind('/') + 1); }
  bool operator==(const ListeningSocket&) const = default;
};

/// Of /proc/net/tcp and its kin: the first line, and that of a socket, both with their ends.
std::string socket_table_head();
std::string socket_table_row(std::size_t number, const ListeningSocket& socket, std::uint32_t uid,
                             std::uint32_t inode);

class Sockets {
 public:
  Sockets(SimHost& host, schema::AuditServices::Facts::Reader facts);

  /// Whether a TCP connection to this address of the machine is accepted.
  bool accepts(std::string_view address, std::uint16_t port) const;
  /// From now on somebody listens there.
  void listen(ListeningSocket socket);

  /// The units that hold a socket, or held one.
  std::set<std::string> units() const;
  /// While a unit is stopped, nobody listens for it; when it is started, all is as before.
  void stop(const std::string& unit);
  void start(const std::string& unit);

 private:
  bool is_there(const ListeningSocket& socket) const;
  void put_tables();
  void put_process(const ListeningSocket& socket);
  std::uint32_t number_of(const std::string& user);

  SimHost& host_;
  std::set<std::string> tables_;
  std::vector<ListeningSocket> sockets_;
  std::set<std::string> stopped_;
};

}  // namespace relab::agent::sim
