"""What pct, pvesh, pvesm, pveam, qm and pveversion of Proxmox VE answer, over real LXC containers."""
