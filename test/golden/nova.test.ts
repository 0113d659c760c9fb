import { golden } from '#test/harness/golden.ts'

golden('nova', {
  noFault: {
    listVersions: 'a document that everybody may read, at a path without parameters',
    listImageVersions: 'a document that everybody may read, at a path without parameters',
  },
  noSuccess: { showAddresses: 'what is simulated has no address' },
})
