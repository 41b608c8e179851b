#pragma once

/// Structured logs: to the journal under systemd, to standard error otherwise.

#include <memory>
#include <spdlog/logger.h>
#include <string>

namespace relab {

/// `level` is one of spdlog's names ("info", "debug", ...); an unknown one is taken as "info".
std::shared_ptr<spdlog::logger> make_log(const std::string& name, const std::string& level);

}  // namespace relab
