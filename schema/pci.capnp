@0xd1a9c2f0b7e64a23;
# PCI devices, their drivers, and GPUs with their render nodes.

using Cxx = import "/capnp/c++.capnp";
using A = import "/schema/annotations.capnp";
using Coverage = import "/schema/coverage.capnp".Coverage;
$Cxx.namespace("relab::schema");

struct AuditPci {
  struct Facts {
    coverage @0 :Coverage;
    devices @1 :List(Device);
    gpus @2 :List(Gpu);
    # Display controllers among the devices.
    renderNodes @3 :List(Node);
    # Every node of /dev/dri, whatever GPU it belongs to.
    nvidia @4 :List(Nvidia);
    # What nvidia-smi tells; empty unless it answered.
  }

  struct Device {
    address @0 :Text;
    # domain:bus:device.function, "0000:04:00.0".
    classId @1 :Text;
    # Six hexadecimal digits: class, subclass, interface.
    className @2 :Text;
    # This and the other names come from pci.ids; empty: not listed there, or no pci.ids.
    vendorId @3 :Text;
    vendor @4 :Text;
    deviceId @5 :Text;
    device @6 :Text;
    subsystemVendorId @7 :Text;
    subsystemId @8 :Text;
    subsystem @9 :Text;
    revision @10 :Text;
    driver @11 :Text;
    # The kernel driver bound to it. Empty: none.
    iommuGroup @12 :Int32 = -1;
    # -1: none, because the IOMMU is off or there is none.
    bootVga @13 :Bool;
    # The firmware's console is on it.
  }

  struct Gpu {
    address @0 :Text;
    vendor @1 :Text;
    name @2 :Text;
    driver @3 :Text;
    # i915, xe, amdgpu, nvidia, nouveau, vfio-pci, ... Empty: none bound.
    card @4 :Text;
    # "card0". Empty: the driver made none.
    render @5 :Text;
    # "renderD128". Empty: the driver made none, so nothing can compute or transcode on it.
    renderNode @6 :Bool;
    # /dev/dri has that node here.
    byPath @7 :Text;
    # The stable name of the render node below /dev/dri/by-path. Empty: none.
    huc @8 :Text;
    # Intel: the state of the HuC firmware ("RUNNING"), which low-power encoding needs. Empty: not read.
    hucFirmware @9 :Text;
  }

  struct Node {
    name @0 :Text;
    # "renderD128".
    address @1 :Text;
    # Of the PCI device behind it. Empty: none that is visible here.
    mode @2 :Text;
    # Permission bits in octal.
    uid @3 :UInt32;
    gid @4 :UInt32;
    major @5 :UInt32;
    minor @6 :UInt32;
  }

  struct Nvidia {
    address @0 :Text;
    name @1 :Text;
    uuid @2 :Text;
    driverVersion @3 :Text;
    memoryTotal @4 :UInt64 $A.unit("MiB");
    memoryUsed @5 :UInt64 $A.unit("MiB") $A.volatile;
    utilization @6 :Int16 = -1 $A.unit("percent") $A.volatile;
    # -1: the card does not tell.
    temperature @7 :Int16 = -1 $A.unit("degrees Celsius") $A.volatile;
    # -1: the card does not tell.
  }
}
