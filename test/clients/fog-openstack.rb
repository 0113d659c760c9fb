# fog-openstack, unmodified, which Ruby's tools (Chef, Vagrant, Puppet) are made of: a server's life. It sends a slash
# too many here and there. The first step that is not as expected ends it with the reason. Run by
# openstack-libraries.test.ts.

require 'fog/openstack'

def expect(what, actual, wanted)
  abort "#{what}: expected #{wanted.inspect}, got #{actual.inspect}" unless actual == wanted
  puts what
end

account = {
  openstack_auth_url: ENV.fetch('OS_AUTH_URL'),
  openstack_username: ENV.fetch('OS_USERNAME'),
  openstack_api_key: ENV.fetch('OS_PASSWORD'),
  openstack_project_name: ENV.fetch('OS_PROJECT_NAME'),
  openstack_domain_id: 'default',
  openstack_region: ENV.fetch('OS_REGION_NAME'),
}
compute = Fog::OpenStack::Compute.new(account)
flavor = compute.flavors.find { |one| one.name == 'quick' }
image = compute.images.find { |one| one.name == 'Simulated machine' }

server = compute.servers.create(
  name: 'fog-1', flavor_ref: flavor.id, image_ref: image.id, metadata: { 'colour' => 'blue' }
)
becomes = lambda do |status|
  server.wait_for(30, 0.1) { state == status }
  expect("fog: #{status}", server.state, status)
end
becomes.call('ACTIVE')
server.stop
becomes.call('SHUTOFF')
server.start
becomes.call('ACTIVE')
server.pause
becomes.call('PAUSED')
compute.unpause_server(server.id)
becomes.call('ACTIVE')
server.suspend
becomes.call('SUSPENDED')
compute.resume_server(server.id)
becomes.call('ACTIVE')
server.reboot('HARD')
becomes.call('ACTIVE')

compute.update_metadata('servers', server.id, 'size' => 'big')
metadata = compute.list_metadata('servers', server.id).body['metadata']
expect('fog: metadata', metadata, { 'colour' => 'blue', 'size' => 'big' })
expect('fog: limits', compute.get_limits.body['limits'].key?('absolute'), true)
project = compute.servers.get(server.id).tenant_id
expect('fog: quotas', compute.get_quota(project).body['quota_set']['id'], project)
expect('fog: volumes', compute.servers.get(server.id).volume_attachments, [])
expect('fog: zones', compute.list_zones.body['availabilityZoneInfo'].length, 1)
key = compute.key_pairs.create(name: 'fog-key')
expect('fog: a private key', key.private_key.start_with?('-----BEGIN'), true)
key.destroy

images = Fog::OpenStack::Image.new(account)
expect('fog: the image', images.images.get(image.id).name, 'Simulated machine')

server.destroy
gone = (1..100).any? do
  sleep 0.1
  compute.servers.get(server.id).nil?
end
expect('fog: deleted', gone, true)
