// gophercloud, unmodified, which Terraform's provider and Kubernetes' are made of: a server's life, and how refusals
// reach a Go program. The first step that is not as expected ends it with the reason. Run by
// openstack-libraries.test.ts.
package main

import (
	"fmt"
	"os"

	"github.com/gophercloud/gophercloud"
	"github.com/gophercloud/gophercloud/openstack"
	"github.com/gophercloud/gophercloud/openstack/compute/v2/extensions/attachinterfaces"
	"github.com/gophercloud/gophercloud/openstack/compute/v2/extensions/availabilityzones"
	"github.com/gophercloud/gophercloud/openstack/compute/v2/extensions/limits"
	"github.com/gophercloud/gophercloud/openstack/compute/v2/extensions/lockunlock"
	"github.com/gophercloud/gophercloud/openstack/compute/v2/extensions/pauseunpause"
	"github.com/gophercloud/gophercloud/openstack/compute/v2/extensions/startstop"
	"github.com/gophercloud/gophercloud/openstack/compute/v2/extensions/suspendresume"
	"github.com/gophercloud/gophercloud/openstack/compute/v2/extensions/tags"
	"github.com/gophercloud/gophercloud/openstack/compute/v2/extensions/volumeattach"
	"github.com/gophercloud/gophercloud/openstack/compute/v2/flavors"
	"github.com/gophercloud/gophercloud/openstack/compute/v2/servers"
	"github.com/gophercloud/gophercloud/openstack/imageservice/v2/images"
	"github.com/gophercloud/gophercloud/pagination"
)

const waitSeconds = 30

func must(what string, err error) {
	if err != nil {
		fmt.Printf("%s: %v\n", what, err)
		os.Exit(1)
	}
	fmt.Println(what)
}

func expect(what string, actual, wanted interface{}) {
	if actual != wanted {
		must(what, fmt.Errorf("expected %v, got %v", wanted, actual))
	}
	fmt.Println(what)
}

func main() {
	auth, err := openstack.AuthOptionsFromEnv()
	must("go: credentials", err)
	provider, err := openstack.AuthenticatedClient(auth)
	must("go: token", err)
	where := gophercloud.EndpointOpts{Region: os.Getenv("OS_REGION_NAME")}
	compute, err := openstack.NewComputeV2(provider, where)
	must("go: compute endpoint", err)
	glance, err := openstack.NewImageServiceV2(provider, where)
	must("go: image endpoint", err)

	pages, err := flavors.ListDetail(compute, nil).AllPages()
	must("go: flavors", err)
	sizes, err := flavors.ExtractFlavors(pages)
	must("go: flavors told", err)
	flavor := ""
	for _, one := range sizes {
		if one.Name == "quick" {
			flavor = one.ID
		}
	}
	pages, err = images.List(glance, images.ListOpts{Name: "Simulated machine"}).AllPages()
	must("go: images", err)
	found, err := images.ExtractImages(pages)
	must("go: image by name", err)
	expect("go: one image", len(found), 1)

	made, err := servers.Create(compute, servers.CreateOpts{
		Name:      "go-1",
		FlavorRef: flavor,
		ImageRef:  found[0].ID,
		Metadata:  map[string]string{"colour": "blue"},
	}).Extract()
	must("go: create", err)
	id := made.ID
	becomes := func(status string) {
		must("go: "+status, servers.WaitForStatus(compute, id, status, waitSeconds))
	}
	becomes("ACTIVE")
	must("go: stop", startstop.Stop(compute, id).ExtractErr())
	becomes("SHUTOFF")
	must("go: start", startstop.Start(compute, id).ExtractErr())
	becomes("ACTIVE")
	must("go: pause", pauseunpause.Pause(compute, id).ExtractErr())
	becomes("PAUSED")
	must("go: unpause", pauseunpause.Unpause(compute, id).ExtractErr())
	becomes("ACTIVE")
	must("go: suspend", suspendresume.Suspend(compute, id).ExtractErr())
	becomes("SUSPENDED")
	must("go: resume", suspendresume.Resume(compute, id).ExtractErr())
	becomes("ACTIVE")
	must("go: reboot", servers.Reboot(compute, id, servers.RebootOpts{Type: servers.HardReboot}).ExtractErr())
	becomes("ACTIVE")

	_, conflict := startstop.Start(compute, id).ExtractErr().(gophercloud.ErrDefault409)
	expect("go: a start of what runs is a conflict", conflict, true)
	must("go: lock", lockunlock.Lock(compute, id).ExtractErr())
	must("go: unlock", lockunlock.Unlock(compute, id).ExtractErr())

	told, err := servers.UpdateMetadata(compute, id, servers.MetadataOpts{"size": "big"}).Extract()
	must("go: metadata", err)
	expect("go: metadata is merged", len(told), 2)
	renamed, err := servers.Update(compute, id, servers.UpdateOpts{Name: "go-2"}).Extract()
	must("go: rename", err)
	expect("go: renamed", renamed.Name, "go-2")

	compute.Microversion = "2.52"
	_, err = tags.ReplaceAll(compute, id, tags.ReplaceAllOpts{Tags: []string{"night", "red"}}).Extract()
	must("go: tags", err)
	pages, err = servers.List(compute, servers.ListOpts{Tags: "night", Limit: 1}).AllPages()
	must("go: list by tag", err)
	listed, err := servers.ExtractServers(pages)
	must("go: listed", err)
	expect("go: one has the tag", len(listed), 1)
	compute.Microversion = ""

	count := func(what string, pager pagination.Pager) {
		pages, err := pager.AllPages()
		must(what, err)
		empty, err := pages.IsEmpty()
		must(what, err)
		expect(what+" is empty", empty, true)
	}
	count("go: interfaces", attachinterfaces.List(compute, id))
	count("go: volumes", volumeattach.List(compute, id))
	_, err = limits.Get(compute, nil).Extract()
	must("go: limits", err)
	pages, err = availabilityzones.List(compute).AllPages()
	must("go: zones", err)
	zones, err := availabilityzones.ExtractAvailabilityZones(pages)
	must("go: zones told", err)
	expect("go: a zone is available", zones[0].ZoneState.Available, true)
	_, err = flavors.ListAccesses(compute, flavor).AllPages()
	_, denied := err.(gophercloud.ErrDefault403)
	expect("go: who has a flavor is an admin's to ask", denied, true)

	must("go: delete", servers.Delete(compute, id).ExtractErr())
	err = gophercloud.WaitFor(waitSeconds, func() (bool, error) {
		_, err := servers.Get(compute, id).Extract()
		_, gone := err.(gophercloud.ErrDefault404)
		return gone, nil
	})
	must("go: deleted", err)
}
