# SPDX-License-Identifier: GPL-2.0-or-later
"""A GRUB image that boots a hypervisor and dom0 on BIOS and on UEFI machines alike."""
import os
import shutil
import tempfile

from . import CACHE
from .util import run


def make(path, hypervisor, hv_args, kernel, kernel_args, initrd):
    """Writes a GRUB ISO: multiboot2 hypervisor, kernel and initrd as its modules."""
    CACHE.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=CACHE) as d:
        boot = os.path.join(d, "boot")
        os.makedirs(os.path.join(boot, "grub"))
        for name, source in (("hv", hypervisor), ("vmlinuz", kernel), ("initrd", initrd)):
            try:
                os.link(source, os.path.join(boot, name))
            except OSError:
                shutil.copy(source, os.path.join(boot, name))
        with open(os.path.join(boot, "grub", "grub.cfg"), "w", encoding="ascii") as f:
            f.write("serial --unit=0 --speed=115200\n"
                    "terminal_input serial console\nterminal_output serial console\n"
                    "set timeout=0\n"
                    "menuentry 'dom0' {\n"
                    "  echo 'GRUB: loading'\n"
                    f"  multiboot2 /boot/hv placeholder {hv_args}\n"
                    f"  module2 /boot/vmlinuz placeholder {kernel_args}\n"
                    "  module2 --nounzip /boot/initrd\n"
                    "}\n")
        run(["grub-mkrescue", "-o", path, d])
    return path
