//! The container, where it can be told from control groups or mounts.

use super::Root;
use crate::data::Resource;

pub(super) fn detect(root: &Root, found: &mut Resource) {
    let of_groups = || root.read("proc/self/cgroup").as_deref().and_then(of_cgroup);
    let of_mounts = || root.read("proc/self/mountinfo").as_deref().and_then(of_mountinfo);
    if let Some(id) = of_groups().or_else(of_mounts) {
        found.set("container.id", id);
    }
}

/// `12:cpu:/kubepods/pod3f/<id>`, `0::/system.slice/docker-<id>.scope` (cgroups(7)).
fn of_cgroup(text: &str) -> Option<String> {
    text.lines().find_map(|line| {
        let last = line.splitn(3, ':').nth(2)?.rsplit('/').next()?;
        let last = last.strip_suffix(".scope").unwrap_or(last);
        id(last.rsplit(['-', ':']).next()?)
    })
}

/// A mount from where runtimes keep the files of their containers: `/var/lib/docker/containers/<id>/hostname`. A folder of
/// sandboxes is that of a pod, and not of a container (proc_pid_mountinfo(5)).
fn of_mountinfo(text: &str) -> Option<String> {
    text.lines().find_map(|line| {
        let segments: Vec<&str> = line.split(' ').nth(3)?.split('/').collect();
        let pairs = segments.windows(2).filter(|pair| pair[0].ends_with("containers"));
        pairs.filter_map(|pair| id(pair[1])).next()
    })
}

fn id(text: &str) -> Option<String> {
    let hex = |b: u8| matches!(b, b'0'..=b'9' | b'a'..=b'f');
    (text.len() == 64 && text.bytes().all(hex)).then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ID: &str = "dc579f8a8319c8cf7d38e1adf263bc08d23dc579f8a8319c8cf7d38e1adf263b";

    #[test]
    fn u46_ids_are_found_where_the_runtimes_have_them() {
        for group in [
            format!("13:name=systemd:/docker/{ID}"),
            format!("0::/system.slice/docker-{ID}.scope"),
            format!("1:cpu:/\n9:memory:/kubepods/besteffort/pod3f-4/{ID}\n"),
            format!("0::/kubepods.slice/kubepods-pod3f.slice/cri-containerd-{ID}.scope"),
            format!("0::/machine.slice/libpod-{ID}.scope"),
            format!("2:cpu:/system.slice/containerd.service/kubepods-pod3f.slice:cri-containerd:{ID}"),
        ] {
            assert_eq!(of_cgroup(&group).as_deref(), Some(ID), "{group}");
        }
        for mount in [
            format!("473 456 254:1 /docker/containers/{ID}/resolv.conf /etc/resolv.conf rw - ext4 /dev/vda1 rw"),
            format!("1 2 0:1 / / rw\n5 6 0:2 /var/lib/docker/containers/{ID}/hostname /etc/hostname rw"),
            format!("983 961 0:56 /containers/overlay-containers/{ID}/userdata/hostname /etc/hostname rw"),
        ] {
            assert_eq!(of_mountinfo(&mount).as_deref(), Some(ID), "{mount}");
        }
    }

    #[test]
    fn nothing_else_is_taken_for_one() {
        let short = &ID[1..];
        for group in ["", "0::/", "0::/init.scope", "0::/user.slice/user-1000.slice", &format!("0::/docker/{short}")] {
            assert_eq!(of_cgroup(group), None, "{group}");
        }
        let sandbox = format!("5 6 0:2 /var/lib/containerd/sandboxes/{ID}/hostname /etc/hostname rw");
        for mount in ["", "5", "5 6 0:2 /", &sandbox, &format!("1 2 0:1 /containers/{short}/x /y rw")] {
            assert_eq!(of_mountinfo(mount), None, "{mount}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "[0-9a-f:/ .\\n-]{0,200}|.{0,60}") {
            let (_, _) = (of_cgroup(&text), of_mountinfo(&text));
        }
    }
}
