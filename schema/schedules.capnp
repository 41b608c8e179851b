@0xd1a9c2f0b7e64a29;
# Cron, systemd timers and vzdump jobs: all that runs by itself.

using Cxx = import "/capnp/c++.capnp";
using A = import "/schema/annotations.capnp";
using Coverage = import "/schema/coverage.capnp".Coverage;
$Cxx.namespace("relab::schema");

struct AuditSchedules {
  struct Facts {
    coverage @0 :Coverage;
    cronJobs @1 :List(CronJob);
    # Of every crontab that cron reads, in the order of the files and lines.
    cronVariables @2 :List(CronVariable);
    crontabs @3 :List(Crontab);
    scripts @4 :List(Script);
    # What is in /etc/cron.hourly and its kin, whether it runs or not.
    anacronJobs @5 :List(AnacronJob);
    timers @6 :List(Timer);
    # Every timer that systemd has loaded, the inactive ones too.
    atJobs @7 :List(AtJob);
    backupJobs @8 :List(BackupJob);
    # Proxmox's own backups with vzdump.
  }

  struct CronJob {
    source @0 :Text $A.doc("The crontab.");
    line @1 :UInt32 $A.volatile;
    schedule @2 :Text $A.doc("The five fields as written, or '@reboot' and the like.");
    user @3 :Text;
    command @4 :Text $A.doc("As written, with secrets blanked out.");
  }

  struct CronVariable {
    source @0 :Text;
    line @1 :UInt32 $A.volatile;
    name @2 :Text;
    value @3 :Text $A.doc("Blanked out if the name tells of a secret.");
  }

  struct Crontab {
    path @0 :Text;
    jobs @1 :UInt32;
    notes @2 :Text $A.doc("Why cron passes over this file, or what is odd about it; empty if nothing.");
  }

  struct Script {
    folder @0 :Text;
    name @1 :Text;
    runs @2 :Bool;
    why @3 :Text $A.doc("Why it does not run, or what it is a link to.");
    real @4 :Text $A.doc("Where it really lies, every link followed. Empty: it is a link to nothing, or could not be looked at.");
  }

  struct AnacronJob {
    period @0 :Text $A.doc("Days, or '@monthly' and the like.");
    delay @1 :UInt32 $A.doc("Minutes after the start of anacron.") $A.unit("minutes");
    name @2 :Text;
    command @3 :Text;
  }

  struct Timer {
    name @0 :Text;
    activates @1 :Text;
    next @2 :UInt64 $A.doc("Unix time in milliseconds; 0 if it is not due at any time.") $A.unit("unix ms") $A.volatile;
    last @3 :UInt64 $A.doc("Unix time in milliseconds; 0 if it has not run since the machine's records begin.") $A.unit("unix ms") $A.volatile;
  }

  struct AtJob {
    name @0 :Text $A.doc("File in the queue.");
    due @1 :UInt64 $A.doc("Unix time in milliseconds; 0 if the file's name does not tell.") $A.unit("unix ms");
    user @2 :Text $A.doc("Number of the user who queued it.");
  }

  struct BackupJob {
    name @0 :Text;
    source @1 :Text $A.doc("File that defines it.");
    enabled @2 :Bool;
    schedule @3 :Text $A.doc("Calendar event of Proxmox, or the fields of cron.");
    guests @4 :Text $A.doc("'all', 'pool NAME' or the numbers of the guests.");
    exclude @5 :Text $A.doc("Numbers of guests that 'all' leaves out.");
    storage @6 :Text;
    mode @7 :Text $A.doc("'snapshot', 'suspend' or 'stop'.");
    retention @8 :Text $A.doc("What is kept; empty: the storage decides.");
    comment @9 :Text;
  }
}
