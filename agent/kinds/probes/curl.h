#pragma once

/// One request by curl, and what it tells of the answer.

#include <chrono>
#include <string>
#include <string_view>

#include "agent/host/host.h"

namespace relab::agent::probes {

/// What curl writes after the answer, by our format.
struct CurlReport {
  std::uint16_t status = 0;
  std::uint64_t size = 0;
  std::string peer = {};
  /// SHA-256 of the server's own certificate, as Proxmox shows it; empty without one.
  std::string fingerprint = {};
  /// What curl said itself.
  std::string complaint = {};

  bool operator==(const CurlReport&) const = default;
};

/// Out of curl's standard error. Fault::damaged if it is not what we have asked for.
Result<CurlReport> parse_curl_report(std::string_view text);

struct Request {
  std::string url;
  /// A file with certificates; empty: those of the machine.
  std::string authority;
  /// Whether the server's certificate is told and not verified: somebody else compares it.
  bool tells_certificate = false;
  std::chrono::seconds timeout;
};

struct Answer {
  int exit_code = 0;
  CurlReport report;
  /// Its first MiB.
  std::string body;
};

Result<Answer> request(Host& host, const Request& request);

}  // namespace relab::agent::probes
