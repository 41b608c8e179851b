#pragma once

/// The commands' functions, one file each.

#include "controller/cli/command.h"

namespace relab::controller::cli {

void declare_init(boost::program_options::options_description& options);
ExitCode init(const Values& values, Context& context);
ExitCode check(const Values& values, Context& context);
ExitCode kinds(const Values& values, Context& context);
ExitCode schema(const Values& values, Context& context);
void declare_enrol(boost::program_options::options_description& options);
ExitCode enrol(const Values& values, Context& context);
void declare_agents(boost::program_options::options_description& options);
ExitCode agents(const Values& values, Context& context);
ExitCode plan(const Values& values, Context& context);
void declare_run(boost::program_options::options_description& options);
ExitCode run(const Values& values, Context& context);
void declare_attach(boost::program_options::options_description& options);
ExitCode attach(const Values& values, Context& context);
void declare_cancel(boost::program_options::options_description& options);
ExitCode cancel(const Values& values, Context& context);
ExitCode status(const Values& values, Context& context);
ExitCode watch(const Values& values, Context& context);
void declare_approve(boost::program_options::options_description& options);
ExitCode approve(const Values& values, Context& context);
void declare_gate(boost::program_options::options_description& options);
ExitCode gate(const Values& values, Context& context);
void declare_audit(boost::program_options::options_description& options);
ExitCode audit(const Values& values, Context& context);
void declare_secret(boost::program_options::options_description& options);
ExitCode secret(const Values& values, Context& context);
void declare_rehearse(boost::program_options::options_description& options);
ExitCode rehearse(const Values& values, Context& context);
ExitCode adopt(const Values& values, Context& context);
void declare_report(boost::program_options::options_description& options);
ExitCode report(const Values& values, Context& context);
void declare_ledger(boost::program_options::options_description& options);
ExitCode ledger(const Values& values, Context& context);

}  // namespace relab::controller::cli
